// Keeps what is typed into a reply or note on the server, and takes the button to take a reply back away in time.
// Words come from the page (data-*), so they are translated.
"use strict";
for (const form of document.querySelectorAll("form[data-draft]")) {
  const field = form.querySelector("textarea");
  const state = form.querySelector("[data-draft-state]");
  let kept = field.value;
  let timer;
  let isSent = false;

  const keep = async () => {
    if (isSent || field.value === kept) return;
    const body = new FormData();
    for (const name of ["csrfmiddlewaretoken", "key"]) body.append(name, form.elements[name].value);
    body.append("kind", form.dataset.kind);
    body.append("body", field.value);
    const typed = field.value;
    try {
      const answer = await fetch(form.dataset.draft, { method: "POST", body, keepalive: true, redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      kept = typed;
      state.textContent = typed ? form.dataset.kept : "";
    } catch {
      state.textContent = isSent ? "" : form.dataset.lost;
    }
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, 800);
  });
  form.addEventListener("submit", () => {
    isSent = true;
    clearTimeout(timer);
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });
  addEventListener("pageshow", (event) => { if (event.persisted) isSent = false; });
}
{
  const expire = () => {
    const now = Date.now() / 1000;
    for (const form of document.querySelectorAll("form[data-until]")) {
      if (Number(form.dataset.until) <= now) form.remove();
    }
    if (document.querySelector("form[data-until]")) setTimeout(expire, 1000);
  };
  expire();
}
