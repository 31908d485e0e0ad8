// Single keys for the queue and the ticket's page (WCAG 2.2, 2.1.4: they can be switched off). What a key does stands
// in the page: data-key="r" on a field is focused, on a summary or button or link it is clicked.
"use strict";
{
  const STORE = "helpdesk.keys";
  const dialog = document.getElementById("keys");
  const control = dialog.querySelector("[data-keys-switch]");
  const rows = () => [...document.querySelectorAll("#result_list tbody tr")];
  const linkOf = (row) => row?.querySelector("th a, td.field-subject a");
  let isOn = localStorage.getItem(STORE) !== "off";
  control.checked = isOn;
  control.addEventListener("change", () => {
    isOn = control.checked;
    localStorage.setItem(STORE, isOn ? "on" : "off");
  });
  document.querySelector("[data-keys-open]").addEventListener("click", () => dialog.showModal());

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
    const form = document.getElementById("take-row");
    const number = link.getAttribute("href").match(/(\d+)\/change\//)[1];
    form.action = form.dataset.url.replace("/0/", `/${number}/`);
    const button = form.elements.seen;
    button.value = row.querySelector("[data-assignee]").dataset.assignee;
    form.requestSubmit(button);
  };
  const inQueue = {
    j: () => move(1),
    k: () => move(-1),
    o: () => linkOf(here())?.click(),
    a: take,
    "/": () => document.getElementById("searchbar").focus(),
  };
  const press = (key) => {
    const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    if (target.matches("textarea, input, select")) target.focus();
    else if (target.matches("summary")) {
      target.parentElement.open = true;
      target.parentElement.querySelector("textarea")?.focus();
    } else target.click();
    return true;
  };
  document.addEventListener("keydown", (event) => {
    if (!isOn || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input:not([type=checkbox]):not([type=radio]):not([type=submit]), textarea, select, [contenteditable]")) return;
    const act = rows().length || document.getElementById("changelist") ? inQueue[event.key] : undefined;
    if (act) act();
    else if (!press(event.key)) return;
    event.preventDefault();
  });
}
