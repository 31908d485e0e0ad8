// Saved replies and macros: htmx fetches them when somebody opens their list. Saved replies are found while you type,
// and the chosen one is inserted at the cursor: into the reply, or into the note if the note was edited last. Texts come
// from data attributes, so they are translated.
"use strict";
{
  const box = document.querySelector("[data-saved-replies]");
  const search = box?.querySelector("input[type=search]");
  const say = (text) => document.dispatchEvent(new CustomEvent("announce", { detail: text }));

  if (search) {
    const found = document.getElementById("saved-replies-found");
    const fields = [...document.querySelectorAll(".say textarea[name=body]")];
    const isShown = (one) => one.offsetParent !== null;
    let field = fields[0];
    let hasCursor = false;
    const buttons = () => [...found.querySelectorAll("button")];

    for (const one of fields) {
      one.addEventListener("focus", () => {
        field = one;
        hasCursor = true;
      });
    }

    const insert = (text) => {
      if (!isShown(field)) {
        field = fields.find(isShown);
        hasCursor = false;
      }
      const isNote = field.form.dataset.kind === "note";
      box.open = false;
      field.dispatchEvent(new CustomEvent("insert", { bubbles: true, detail: { text, isAtEnd: !hasCursor } }));
      say(isNote ? box.dataset.intoNote : box.dataset.intoReply);
    };

    box.querySelector("[data-search]").hidden = false;
    box.addEventListener("toggle", () => {
      if (!box.open) return;
      search.value = "";
      search.focus();
      htmx.trigger(search, "find");
    });
    found.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) insert(button.dataset.text);
    });
    found.addEventListener("htmx:afterSettle", () => say(found.querySelector("[data-status]").textContent));
    box.addEventListener("keydown", (event) => {
      const place = buttons().indexOf(document.activeElement);
      if (event.key === "Escape") {
        box.open = false;
        field.focus();
      } else if (event.key === "ArrowDown") {
        (buttons()[place + 1] ?? buttons()[place] ?? search).focus();
      } else if (event.key === "ArrowUp" && place >= 0) {
        (buttons()[place - 1] ?? search).focus();
      } else if (event.key === "Enter" && event.target === search) {
        buttons()[0]?.click();
      } else {
        return;
      }
      event.preventDefault();
    });
  }
}
{
  const menu = document.getElementById("macros");
  const list = menu?.querySelector("[data-hx-get]");
  menu?.addEventListener("toggle", () => {
    if (menu.open && list && !list.children.length) htmx.trigger(list, "find");
  });
}
