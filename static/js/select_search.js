// A field that searches the options of a long select. While it has text the matches are shown as a list.
// Words come from the page (data-*), so they are translated.
"use strict";
for (const select of document.querySelectorAll("select[data-search]")) {
  const MOST_SHOWN = 6;
  const { search: label, found } = select.dataset;
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[_/,]/g, " ").toLowerCase();
  const texts = new Map([...select.options].map((option) => [option, plain(`${option.value} ${option.label}`)]));

  const box = document.createElement("input");
  Object.assign(box, { type: "search", className: "form-control select-search", placeholder: label, autocomplete: "off" });
  box.setAttribute("aria-label", label);
  select.before(box);

  const filter = () => {
    const words = plain(box.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [option, text] of texts) {
      const matches = words.every((word) => text.includes(word));
      option.hidden = option.disabled = !matches && !option.selected;
      count += matches ? 1 : 0;
    }
    for (const group of select.querySelectorAll("optgroup")) {
      group.hidden = [...group.children].every((option) => option.hidden);
    }
    select.size = words.length ? MOST_SHOWN : 1;
    if (!words.length) return;
    document.dispatchEvent(new CustomEvent("announce", { detail: found.replace("[count]", count) }));
  };
  const close = () => {
    box.value = "";
    filter();
  };
  box.addEventListener("input", filter);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (!["ArrowDown", "Enter"].includes(event.key) || !box.value) return;
    event.preventDefault();
    const first = [...texts.keys()].find((option) => !option.hidden && !option.selected);
    if (first) first.selected = true;
    select.dispatchEvent(new Event("input", { bubbles: true }));
    select.focus();
  });
  // Chosen by click, Enter or by going on: the list closes.
  select.addEventListener("click", () => { if (box.value) close(); });
  select.addEventListener("keydown", (event) => {
    if (!box.value || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    close();
  });
  select.addEventListener("blur", () => { if (box.value) close(); });
}
