// Technical details of a new ticket: filled in and ticked when the person opens the list, and unticked when it is
// closed, so that nothing is sent that is not shown.
"use strict";
// Whoever has the token of a link acts as its person, so no ticket holds it.
const SIGNED = /(\/(?:answer|mute|confirm-email|key)\/)[^/]+/;
for (const list of document.querySelectorAll("[data-technical]")) {
  const values = () => ({
    page: (document.referrer || location.href).replace(SIGNED, "$1…"),
    system: navigator.userAgentData?.platform || navigator.platform,
    screen: `${screen.width} × ${screen.height}, ${innerWidth} × ${innerHeight} (${devicePixelRatio}×)`,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  const fill = () => {
    const known = values();
    for (const input of list.querySelectorAll("[name=technical]")) {
      const name = input.dataset.name;
      if (!known[name]) continue;
      input.value = `${name}:${known[name]}`;
      input.disabled = false;
      const row = input.closest("[hidden]");
      list.querySelector(`[data-value=${name}]`).textContent = known[name];
      row?.removeAttribute("hidden");
    }
  };
  if (list.open) fill(); // the form was refused: what was ticked stays ticked
  list.querySelector("summary").addEventListener("click", () => {
    const opens = !list.open;
    if (opens) fill();
    for (const input of list.querySelectorAll("[name=technical]")) input.checked = opens;
  });
}
