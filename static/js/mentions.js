// Completes “@name” in an internal note with the names of the assignee list, by mouse and by key. The server finds
// the names in the note that is sent. Words come from the page (data-*), so they are translated.
"use strict";
{
  const MOST = 6;
  const field = document.querySelector("#note-form textarea");
  const list = document.getElementById("mentions");
  const me = document.querySelector("#note-form [name=typed_by]")?.value;
  const staff = [...document.querySelectorAll("#id_assignee option")].filter(({ value }) => value && value !== me);
  const names = staff.map((option) => option.text);
  const say = (text) => document.dispatchEvent(new CustomEvent("announce", { detail: text }));
  let chosen = 0;

  // What stands between the last @ and the cursor; undefined where no name is typed.
  const NAME = /(?:^|[\s(])@([^\s@]*(?: [^\s@]*)?)$/;
  const typed = () => field.value.slice(0, field.selectionStart).match(NAME)?.[1];
  const matches = (start) => {
    const words = start.toLowerCase();
    return names.filter((name) => {
      const lower = name.toLowerCase();
      return lower.startsWith(words) || lower.split(" ").some((word) => word.startsWith(words));
    }).slice(0, MOST);
  };
  const choose = (place) => {
    chosen = place;
    for (const [number, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(number === place));
    }
    field.setAttribute("aria-activedescendant", list.children[place].id);
  };
  const close = () => {
    list.hidden = true;
    list.replaceChildren();
    field.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    const start = typed();
    const found = start === undefined ? [] : matches(start);
    if (!found.length || found[0] === start) return close();
    const before = list.children.length;
    list.replaceChildren(...found.map((name, number) => {
      const option = document.createElement("li");
      option.role = "option";
      option.id = `mention-${number}`;
      option.textContent = name;
      return option;
    }));
    list.hidden = false;
    choose(0);
    if (before !== found.length) say(`${list.dataset.found}: ${found.join(", ")}`);
  };
  const take = (name) => {
    const end = field.selectionStart;
    field.setRangeText(`${name} `, end - typed().length, end, "end");
    close();
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const KEYS = {
    ArrowDown: () => choose((chosen + 1) % list.children.length),
    ArrowUp: () => choose((chosen + list.children.length - 1) % list.children.length),
    Enter: () => take(list.children[chosen].textContent),
    Tab: () => take(list.children[chosen].textContent),
    Escape: close,
  };

  if (field && list) {
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    field.addEventListener("input", show);
    field.addEventListener("click", show);
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (list.hidden || event.ctrlKey || event.metaKey || event.isComposing || !KEYS[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      KEYS[event.key]();
    });
    list.addEventListener("mousedown", (event) => { // before the field loses the focus
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) take(option.textContent);
    });
  }
}
