// Live updates of a list keep the selection, the focus and the scroll position.
"use strict";
{
  const live = document.querySelector("[data-live-list]");
  const rows = () => [...document.querySelectorAll(live.dataset.row)];
  const anchorOf = (row) => row.querySelector("a.ticket-link") ?? row.querySelector("a[href]");
  const linkOf = (row) => anchorOf(row)?.getAttribute("href").split("?")[0];
  // The row's text without relative times.
  const wordsOf = (row) => {
    const copy = row.cloneNode(true);
    for (const clock of copy.querySelectorAll("[data-clock], .field-age, time")) clock.remove();
    return [...copy.children].map((cell) => cell.textContent).join("|");
  };
  let before;
  let ticked;
  let read;
  let focused;

  document.addEventListener("htmx:beforeSwap", (event) => {
    // All pages are selected: don't update the rows until that selection ends.
    if (document.querySelector("input.select-across")?.value === "1") event.detail.shouldSwap = false;
    // An open filter keeps the focus; the list is up to date again when it is closed.
    if (document.querySelector(".filters[open]")) event.detail.shouldSwap = false;
    if (!event.detail.shouldSwap) return;
    before = new Map(rows().map((row) => [linkOf(row), wordsOf(row)]));
    ticked = new Set(rows().filter((row) => row.querySelector("input.action-select:checked")).map(linkOf));
    const seen = rows().find((row) => row.getBoundingClientRect().bottom > 0);
    read = seen && { link: linkOf(seen), top: seen.getBoundingClientRect().top };
    focused = rows().find((row) => row.contains(document.activeElement));
    // In the queue the focus may be on a checkbox or on a value.
    const change = document.activeElement.dataset.rowChange;
    const part = document.activeElement.matches("input") ? "input" : change && `[data-row-change=${change}]`;
    focused = focused && { link: linkOf(focused), part };
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== live.getAttribute("data-hx-target").slice(1)) return;
    const byLink = new Map(rows().map((row) => [linkOf(row), row]));
    for (const [link, row] of byLink) {
      if (!ticked.has(link)) continue;
      row.querySelector("input.action-select").checked = true;
      row.classList.add("selected");
    }
    // Django's counter knows only the checkboxes that were there when the page was loaded.
    const boxes = document.querySelectorAll("tr input.action-select");
    if (boxes.length && window.Actions) {
      document.querySelector(".action-counter").dataset.actionsIcnt = boxes.length;
      window.Actions(boxes);
      ([...boxes].find((box) => box.checked) ?? boxes[0]).dispatchEvent(new Event("change", { bubbles: true }));
    }
    const back = focused && byLink.get(focused.link);
    if (back) (focused.part ? back.querySelector(focused.part) : anchorOf(back))?.focus({ preventScroll: true });
    const same = read && byLink.get(read.link);
    if (same && scrollY) scrollBy({ top: same.getBoundingClientRect().top - read.top, behavior: "instant" });
    const changed = [...byLink].filter(([link, row]) => before.get(link) !== wordsOf(row)).map(([, row]) => row);
    const gone = [...before.keys()].filter((link) => !byLink.has(link)).length;
    for (const row of changed) row.setAttribute("data-new", "");
    const number = changed.length + gone;
    if (!number) return;
    const words = number === 1 ? live.dataset.one : live.dataset.many.replace("[number]", number);
    document.dispatchEvent(new CustomEvent("announce", { detail: words }));
    document.dispatchEvent(new CustomEvent("news", { detail: number }));
  });
}
