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
}
