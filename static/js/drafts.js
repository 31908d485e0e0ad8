// Keeps what is typed into a reply or note on the server, and takes the button to take a reply back away in time.
// Words come from the page (data-*), so they are translated.
"use strict";
for (const form of document.querySelectorAll("form[data-draft]")) {
  const field = form.querySelector("textarea");
  const state = form.querySelector("[data-draft-state]");
  let kept = field.value;
  let timer;
  let isSent = false;
  let underWay;

  const keep = async () => {
    if (isSent || field.value === kept) return;
    const body = new FormData();
    for (const name of ["csrfmiddlewaretoken", "key"]) body.append(name, form.elements[name].value);
    body.append("kind", form.dataset.kind);
    body.append("body", field.value);
    const typed = field.value;
    try {
      underWay = new AbortController();
      const options = { method: "POST", body, keepalive: true, redirect: "error", signal: underWay.signal };
      const answer = await fetch(form.dataset.draft, options);
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
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    isSent = true;
    underWay?.abort();
    clearTimeout(timer);
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });
  addEventListener("pageshow", (event) => { if (event.persisted) isSent = false; });
}
{
  const expire = (forms) => {
    for (const form of forms) setTimeout(() => form.remove(), Number(form.dataset.seconds) * 1000);
  };
  expire(document.querySelectorAll("form[data-seconds]"));
  document.addEventListener("htmx:afterSwap", (event) => {
    expire(event.detail.target.querySelectorAll("[data-new] form[data-seconds]"));
  });
}
