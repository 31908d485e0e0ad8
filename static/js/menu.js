// The account menu works without JavaScript. This closes it on Escape and on a click outside.
"use strict";
{
  const menus = document.querySelectorAll("details[data-menu]");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus) {
      if (!menu.open) continue;
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  for (const type of ["click", "focusin"]) {
    document.addEventListener(type, (event) => {
      for (const menu of menus) if (menu.open && !menu.contains(event.target)) menu.open = false;
    });
  }
}
{
  // Changes the theme without a reload. Without JavaScript the server redirects back.
  for (const form of document.querySelectorAll("[data-theme-form]")) {
    form.addEventListener("submit", async (event) => {
      const { submitter } = event;
      if (!submitter) return;
      event.preventDefault();
      const body = new FormData(form, submitter);
      const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
      if (answer?.type !== "opaqueredirect") return;
      document.querySelector("meta[name=color-scheme]").content = submitter.dataset.scheme;
      for (const button of form.querySelectorAll("button")) button.ariaPressed = String(button === submitter);
    });
  }
}
