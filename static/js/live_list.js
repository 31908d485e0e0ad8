// A list whose rows change by themselves: ticks, focus and the row that is being read stay where they are.
"use strict";
{
  const live = document.querySelector("[data-live-list]");
  const rows = () => [...document.querySelectorAll(live.dataset.row)];
  const linkOf = (row) => row.querySelector("a[href]")?.getAttribute("href").split("?")[0];
  // What a row says, without the words that change with the clock.
  const wordsOf = (row) => [...row.children].filter((cell) => !cell.matches("[data-clock], .field-age")).map((cell) => cell.textContent).join("|");
  let before;
  let ticked;
  let read;
  let focused;

  document.addEventListener("htmx:beforeSwap", (event) => {
    // Somebody is choosing all tickets across the pages: what was counted stays until that is done.
    if (document.querySelector("input.select-across")?.value === "1") event.detail.shouldSwap = false;
    if (!event.detail.shouldSwap) return;
    before = new Map(rows().map((row) => [linkOf(row), wordsOf(row)]));
    ticked = new Set(rows().filter((row) => row.querySelector("input.action-select:checked")).map(linkOf));
    const seen = rows().find((row) => row.getBoundingClientRect().bottom > 0);
    read = seen && { link: linkOf(seen), top: seen.getBoundingClientRect().top };
    focused = rows().find((row) => row.contains(document.activeElement));
    focused = focused && { link: linkOf(focused), isBox: document.activeElement.matches("input") };
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== live.getAttribute("hx-target").slice(1)) return;
    const byLink = new Map(rows().map((row) => [linkOf(row), row]));
    for (const [link, row] of byLink) {
      if (!ticked.has(link)) continue;
      row.querySelector("input.action-select").checked = true;
      row.classList.add("selected");
    }
    // Django's counter of chosen rows knows only the boxes that were there when the page was loaded.
    const boxes = document.querySelectorAll("tr input.action-select");
    if (boxes.length && window.Actions) {
      document.querySelector(".action-counter").dataset.actionsIcnt = boxes.length;
      window.Actions(boxes);
      ([...boxes].find((box) => box.checked) ?? boxes[0]).dispatchEvent(new Event("change", { bubbles: true }));
    }
    if (focused) byLink.get(focused.link)?.querySelector(focused.isBox ? "input" : "a[href]")?.focus({ preventScroll: true });
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
