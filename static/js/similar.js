// Copies the reply of a similar ticket into the composer. Without JavaScript it can be read and copied by hand.
"use strict";
{
  const list = document.querySelector("#similar [data-copied]");
  const field = document.querySelector("#reply-form textarea[name=body]");
  if (list && field) {
    for (const button of list.querySelectorAll("[data-copy]")) button.hidden = false;
    list.addEventListener("click", (event) => {
      const button = event.target.closest("[data-copy]");
      if (!button) return;
      const mode = document.getElementById("mode-reply");
      if (mode && !mode.checked) mode.click(); // the note is shown in its place
      const answer = button.closest("details").querySelector("[data-answer]").textContent;
      // After existing text, start a new paragraph.
      const written = field.value.trimEnd();
      field.setRangeText(written ? `\n\n${answer}` : answer, written.length, field.value.length, "end");
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
      document.dispatchEvent(new CustomEvent("announce", { detail: list.dataset.copied }));
    });
  }
}
