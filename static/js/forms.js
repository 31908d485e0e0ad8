// Focus on what went wrong; one submit for one click, and the button comes back where no page followed.
"use strict";
{
  (document.querySelector("[data-error-summary]") ?? document.querySelector("[aria-invalid=true]"))?.focus();

  const NO_PAGE = 10000; // after this time no page follows: the network failed, or the request was stopped
  const forms = document.querySelectorAll("form[method=post]");
  const buttons = (form) => [...form.elements].filter((element) => element.type === "submit");

  const release = (form) => {
    if (!form.dataset.sent) return;
    delete form.dataset.sent;
    for (const button of buttons(form)) button.disabled = false;
    form.dispatchEvent(new CustomEvent("released", { bubbles: true }));
  };
  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
      // A disabled button is not sent, so its name and value go first.
      setTimeout(() => {
        for (const button of buttons(form)) button.disabled = true;
      });
      setTimeout(() => release(form), NO_PAGE);
    });
  }
  // Whoever comes back finds the page as it was left; what is sent twice is known by its key.
  const releaseAll = () => forms.forEach(release);
  addEventListener("pageshow", (event) => { if (event.persisted) releaseAll(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) releaseAll(); });
}
