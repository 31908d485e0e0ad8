// Django's admin puts a search box without a label above a long select. Give it the label of the select.
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
    // Django's script creates the boxes later.
    new MutationObserver(nameBoxes).observe(document.body, { childList: true, subtree: true });
  });
}
