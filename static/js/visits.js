// Tells the server that this ticket is open and whether a reply is typed, and shows who else has it open.
"use strict";
{
  const EVERY = 20000;
  const TYPING = 5000;
  const form = document.querySelector("[data-visit]");
  const tell = () => { if (!document.hidden) htmx.trigger(form, "visit"); };
  addEventListener("load", tell);
  document.addEventListener("visibilitychange", tell);
  setInterval(tell, EVERY);

  let typedAt = -TYPING;
  let toldAt = -TYPING;
  document.getElementById("reply-form")?.addEventListener("input", ({ target, timeStamp }) => {
    if (!target.matches("textarea") || !target.value) return;
    typedAt = timeStamp;
    if (typedAt - toldAt < TYPING) return;
    toldAt = typedAt;
    tell();
  });
  form.addEventListener("htmx:configRequest", ({ detail }) => {
    if (performance.now() - typedAt < TYPING) detail.parameters.typing = "yes";
  });
  addEventListener("pagehide", () => {
    const data = new FormData(form);
    data.append("leaving", "yes");
    navigator.sendBeacon(form.getAttribute("data-hx-post"), data);
  });
}
