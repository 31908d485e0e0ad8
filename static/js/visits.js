// Tells the server that this ticket is open in front of somebody, and shows who else has it open.
"use strict";
{
  const EVERY = 20000;
  const form = document.querySelector("[data-visit]");
  const tell = () => { if (!document.hidden) htmx.trigger(form, "visit"); };
  addEventListener("load", tell);
  document.addEventListener("visibilitychange", tell);
  setInterval(tell, EVERY);
  addEventListener("pagehide", () => {
    const data = new FormData(form);
    data.append("leaving", "yes");
    navigator.sendBeacon(form.getAttribute("hx-post"), data);
  });

  // Facts that somebody is changing are not replaced by newer ones; saving shows both versions.
  const facts = document.getElementById("ticket_form");
  const isTouched = () => [...facts.elements].some((field) => field.options
    ? [...field.options].some((option) => option.selected !== option.defaultSelected)
    : "defaultValue" in field && field.value !== field.defaultValue);
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id === "facts-fields" && (isTouched() || facts.contains(document.activeElement))) event.detail.shouldSwap = false;
  });
}
