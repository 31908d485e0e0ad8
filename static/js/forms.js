// Focus on what went wrong; one submit for one click.
"use strict";
{
  (document.querySelector("[data-error-summary]") ?? document.querySelector("[aria-invalid=true]"))?.focus();

  const forms = document.querySelectorAll("form[method=post]");
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
        for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = true;
      });
    });
  }
  // The browser's back button shows the page as it was left.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of forms) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = false;
    }
  });
}
