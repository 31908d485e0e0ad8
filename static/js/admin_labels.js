// The search box that Django's admin puts over a long select has no name of its own; it gets the label's.
"use strict";
{
  const nameBoxes = () => {
    for (const select of document.querySelectorAll("select.admin-autocomplete")) {
      const label = document.querySelector(`label[for="${select.id}"]`);
      const box = select.parentElement.querySelector("[role=combobox]");
      if (!label || !box) continue;
      for (const part of [box, box.querySelector("[role=textbox]")]) {
        part?.removeAttribute("aria-labelledby");
        part?.setAttribute("aria-label", label.textContent.trim().replace(/:$/, ""));
      }
    }
  };
  addEventListener("DOMContentLoaded", () => {
    nameBoxes();
    // The boxes are made when jQuery finds the time.
    new MutationObserver(nameBoxes).observe(document.body, { childList: true, subtree: true });
  });
}
