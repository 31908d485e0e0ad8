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
      field.dispatchEvent(new CustomEvent("insert", { bubbles: true, detail: { text: answer, isAtEnd: true } }));
      document.dispatchEvent(new CustomEvent("announce", { detail: list.dataset.copied }));
    });
  }
}
