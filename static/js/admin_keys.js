// Single-key shortcuts of the workspace (WCAG 2.2, 2.1.4: they can be turned off). Where the page says what a key
// does: the element with data-key="r" is focused if it is a field, selected if it is a radio, opened if it is a
// summary, else clicked.
"use strict";
{
  const STORE = "helpdesk.keys";
  const NOT_TYPED = ["checkbox", "radio", "submit"].map((type) => `:not([type=${type}])`).join("");
  const TYPING = `input${NOT_TYPED}, textarea, select, [contenteditable]`;
  const dialog = document.getElementById("keys");
  const control = dialog.querySelector("[data-keys-switch]");
  let isOn = localStorage.getItem(STORE) !== "off";
  control.checked = isOn;
  control.addEventListener("change", () => {
    isOn = control.checked;
    localStorage.setItem(STORE, isOn ? "on" : "off");
  });
  const opener = document.querySelector("[data-keys-open]");
  opener.hidden = false;
  opener.addEventListener("click", () => {
    // The focus returns to where it was: a button in a closed menu can't take it.
    const menu = opener.closest("details[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    dialog.showModal();
    dialog.scrollTop = 0; // the button with the focus is at the end
  });

  // The queue
  const rowForm = document.getElementById("take-row");
  const rows = () => [...document.querySelectorAll("#result_list tbody tr")];
  const linkOf = (row) => row?.querySelector("a.ticket-link");
  const here = () => rows().find((row) => row.contains(document.activeElement));
  const move = (step) => {
    const all = rows();
    const place = all.indexOf(here());
    const next = place < 0 ? all[step > 0 ? 0 : all.length - 1] : all[place + step];
    linkOf(next)?.focus();
  };
  const take = () => {
    const row = here();
    const link = linkOf(row);
    if (!link) return;
    const number = link.getAttribute("href").match(/(\d+)\/change\//)[1];
    rowForm.action = rowForm.dataset.url.replace("/0/", `/${number}/`);
    const button = rowForm.elements.seen;
    button.value = row.querySelector("[data-assignee]").dataset.assignee;
    rowForm.requestSubmit(button);
  };
  const boxOf = (row) => row?.querySelector("input.action-select");
  let lastTicked;
  const tick = () => {
    lastTicked = here();
    boxOf(lastTicked)?.click();
  };
  // Shift selects a range, as with the mouse: from the row ticked last to this one.
  const tickUpTo = () => {
    const all = rows();
    const [from, to] = [all.indexOf(lastTicked), all.indexOf(here())].sort((a, b) => a - b);
    if (from < 0) return tick();
    for (const row of all.slice(from, to + 1)) if (!boxOf(row).checked) boxOf(row).click();
  };
  const change = (name) => here()?.querySelector(`[data-row-change=${name}]`)?.click();
  const write = (kind) => {
    const link = linkOf(here());
    if (link) location.assign(`${link.href}#write-${kind}`);
  };
  const inQueue = {
    x: tick,
    X: tickUpTo,
    A: () => change("assign_to"),
    s: () => change("set_status"),
    p: () => change("set_priority"),
    j: () => move(1),
    k: () => move(-1),
    o: () => linkOf(here())?.click(),
    r: () => write("reply"),
    n: () => write("note"),
    a: take,
  };

  // The page of a ticket
  const details = document.getElementById("ticket_form");
  const edit = (name) => {
    const field = details.elements[name];
    if (!field) return;
    if (!field.checkVisibility()) document.getElementById("details-toggle").click();
    field.focus();
  };
  const onTicket = { A: () => edit("assignee"), s: () => edit("status"), p: () => edit("priority") };

  const everywhere = {
    "/": () => {
      const box = document.getElementById("searchbar");
      if (box) box.focus();
      else document.querySelector("[data-palette-open]").click();
    },
  };
  const press = (key) => {
    const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    if (target.matches("[type=radio]")) {
      target.checked = true;
      target.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (target.matches("textarea, input, select")) target.focus();
    else if (target.matches("summary")) {
      target.parentElement.open = true;
      (target.parentElement.querySelector("textarea") ?? target).focus();
    } else target.click();
    return true;
  };
  const acts = { ...everywhere, ...(rowForm ? inQueue : {}), ...(details ? onTicket : {}) };
  document.addEventListener("keydown", (event) => {
    if (!isOn || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.target.closest(TYPING)) return;
    if (acts[event.key]) acts[event.key]();
    else if (!press(event.key)) return;
    event.preventDefault();
  });

  // A key of the queue leads into the message, once the script of the composer has run. No element has these
  // names: the browser takes the focus away where it scrolls to one.
  const written = { "#write-reply": "r", "#write-note": "n" }[location.hash];
  if (written) document.addEventListener("DOMContentLoaded", () => press(written));
}
