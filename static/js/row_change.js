// Changes a ticket in its row: the link's form opens in the row, and the result is shown there.
"use strict";
{
  const dialog = document.getElementById("row-menu");
  const said = document.querySelector("[data-row-said]");
  let link;
  let isBusy = false;

  const formOf = (html) => new DOMParser().parseFromString(html, "text/html").querySelector("form.row-change");
  const place = () => {
    const box = link.getBoundingClientRect();
    const room = document.documentElement;
    const top = Math.min(box.bottom + 4, room.clientHeight - dialog.offsetHeight - 8);
    const left = Math.min(box.left, room.clientWidth - dialog.offsetWidth - 8);
    dialog.style.top = `${Math.max(top, 8)}px`;
    dialog.style.left = `${Math.max(left, 8)}px`;
  };
  const show = (form, action) => {
    form.setAttribute("action", action);
    dialog.replaceChildren(form);
    dialog.setAttribute("aria-labelledby", "row-change-title");
    if (!dialog.open) dialog.showModal();
    place();
    form.querySelector("button").focus();
  };
  const open = async (from) => {
    link = from;
    const response = await fetch(link.href);
    const form = response.ok && !response.redirected && formOf(await response.text());
    if (link !== from) return; // another value was chosen meanwhile
    if (form) show(form, from.href);
    else location.assign(from.href);
  };
  const send = async (form, button) => {
    if (isBusy) return;
    isBusy = true;
    const action = form.getAttribute("action");
    const headers = { "X-Row-Change": "yes" };
    const response = await fetch(action, { method: "POST", body: new FormData(form, button), headers })
      .finally(() => { isBusy = false; });
    const isDone = response.headers.get("Content-Type").startsWith("application/json");
    if (isDone) {
      dialog.close();
      document.dispatchEvent(new CustomEvent("saved", { detail: await response.json() }));
      htmx.trigger(document.querySelector("[data-live]"), "live");
      return;
    }
    const refused = formOf(await response.text());
    if (refused) show(refused, action);
    else location.assign(action);
  };
  const fail = () => {
    dialog.close();
    document.dispatchEvent(new CustomEvent("saved", { detail: { said: said.dataset.failed } }));
  };
  document.addEventListener("undone", () => {
    link?.focus();
    htmx.trigger(document.querySelector("[data-live]"), "live");
  });

  document.addEventListener("click", (event) => {
    const from = event.target.closest("a[data-row-change]");
    if (from && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(from).catch(fail);
    } else if (event.target === dialog || event.target.closest("#row-menu .row-cancel a")) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target, event.submitter).catch(fail);
  });
  // The bulk panel uses the same field ids.
  dialog.addEventListener("close", () => dialog.replaceChildren());
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.matches("button")) return;
    const buttons = [...dialog.querySelectorAll("button")];
    buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length].focus();
    event.preventDefault();
  });
}
