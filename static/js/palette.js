// The command palette: Ctrl or Cmd K, or its button, opens it. The focus stays in the field while the arrow
// keys move through the options (WAI-ARIA APG, combobox with a listbox). The server finds the options
// (tickets/admin/palette.py).
"use strict";
{
  const PAUSE = 120; // milliseconds without a key until it asks
  const dialog = document.getElementById("palette");
  const field = dialog.querySelector("[role=combobox]");
  const found = dialog.querySelector(".palette-found");
  const status = dialog.querySelector("[role=status]");
  const opener = document.querySelector("[data-palette-open]");
  const isMac = navigator.platform.startsWith("Mac");
  let asked;
  let timer;
  let isStale = true; // the options shown belong to earlier words
  let isEntered = false; // Enter was pressed meanwhile

  const options = () => [...found.querySelectorAll("[role=option]")];
  const active = () => found.querySelector("[aria-selected=true]");
  const activate = (option) => {
    active()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option?.id ?? "");
    field.setAttribute("aria-expanded", String(Boolean(option)));
  };
  const step = (by) => {
    const all = options();
    activate(all.at((all.indexOf(active()) + by + all.length) % all.length));
  };

  const show = (html) => {
    const answer = new DOMParser().parseFromString(html, "text/html");
    const said = answer.getElementById("palette-said");
    found.replaceChildren(...answer.body.childNodes);
    status.textContent = said.textContent;
    if (!navigator.clipboard) found.querySelector("[data-script=copy]")?.remove(); // it needs HTTPS
    activate(options()[0]);
    isStale = false;
    if (isEntered) enter();
  };
  const enter = () => {
    isEntered = isStale;
    if (isStale) askNow();
    else active()?.click();
  };
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const query = new URLSearchParams(opener.dataset.query);
    query.set("q", field.value);
    query.set("ticket", opener.dataset.ticket);
    const response = await fetch(`${dialog.dataset.url}?${query}`, { signal: asked.signal });
    if (response.redirected) location.reload(); // to the login page
    else if (response.ok) show(await response.text());
    else throw new Error(response.status);
  };
  const askNow = () => {
    clearTimeout(timer);
    ask().catch((error) => {
      if (error.name === "AbortError") return;
      isEntered = false;
      status.textContent = dialog.dataset.failed;
    });
  };

  const open = () => {
    if (document.querySelector("dialog[open]")) return;
    field.value = "";
    isStale = true;
    isEntered = false;
    dialog.showModal();
    field.focus();
    askNow();
  };
  const scripts = {
    print: () => {
      dialog.close();
      print();
    },
    copy: async ({ dataset }) => {
      await navigator.clipboard.writeText(new URL(dataset.url, location));
      status.textContent = dialog.dataset.copied;
    },
  };

  document.addEventListener("keydown", (event) => {
    const isAsked = (isMac ? event.metaKey : event.ctrlKey) && event.key.toLowerCase() === "k";
    if (!isAsked || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  });
  opener.setAttribute("role", "button");
  opener.setAttribute("aria-haspopup", "dialog");
  if (isMac) opener.querySelector("kbd").textContent = opener.dataset.mac;
  opener.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });

  field.addEventListener("input", () => {
    isStale = true;
    isEntered = false;
    clearTimeout(timer);
    timer = setTimeout(askNow, PAUSE);
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") step(1);
    else if (event.key === "ArrowUp") step(-1);
    else if (event.key === "Enter") enter();
    else return;
    event.preventDefault();
  });
  found.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== active()) activate(option);
  });
  found.addEventListener("click", (event) => {
    const option = event.target.closest("[data-script]");
    if (option) scripts[option.dataset.script](option);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    clearTimeout(timer);
    asked?.abort();
  });
}
