// Moves the focus to the errors, and prevents a second submit. The button works again if no new page follows.
"use strict";
{
  (document.querySelector("[data-error-summary]") ?? document.querySelector("[aria-invalid=true]"))?.focus();

  const NO_PAGE = 10000; // after this time no page follows: the network failed, or the request was stopped
  const forms = document.querySelectorAll("form[method=post]");
  const buttons = (form) => [...form.elements].filter((element) => element.type === "submit");

  const release = (form) => {
    if (!form.dataset.sent || form.dataset.uploading) return;
    delete form.dataset.sent;
    for (const button of buttons(form)) button.disabled = false;
    form.dispatchEvent(new CustomEvent("released", { bubbles: true }));
  };
  for (const form of forms) {
    form.addEventListener("failed", () => release(form)); // uploads.js
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
      // A disabled button isn't submitted, so copy its name and value first.
      setTimeout(() => {
        for (const button of buttons(form)) button.disabled = true;
      });
      setTimeout(() => release(form), NO_PAGE);
    });
  }
  // After Back the page can be sent again; the server recognises a second submission by its key.
  const releaseAll = () => forms.forEach(release);
  addEventListener("pageshow", (event) => { if (event.persisted) releaseAll(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) releaseAll(); });
}
