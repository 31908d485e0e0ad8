// While a new ticket is typed, asks for the person's own open tickets that are similar. The server finds them.
"use strict";
for (const place of document.querySelectorAll("[data-own-tickets]")) {
  const PAUSE = 350;
  const form = place.closest("form");
  const fields = ["subject", "description"];
  const typed = () => fields.map((name) => form.elements[name].value.trim()).join("\n");
  let asked = typed();
  let shown = "";
  let timer;
  let request;

  const ask = async () => {
    const text = typed();
    if (text === asked) return;
    asked = text;
    request?.abort();
    request = new AbortController();
    const body = new FormData();
    for (const name of [...fields, "csrfmiddlewaretoken"]) body.append(name, form.elements[name].value);
    try {
      const options = { method: "POST", body, redirect: "error", signal: request.signal };
      const answer = await fetch(place.dataset.ownTickets, options);
      if (answer.ok) show(await answer.text());
    } catch { /* a newer question replaced it, or the network failed: filing goes on */ }
  };
  const show = (content) => {
    if (content === shown) return;
    shown = content;
    place.replaceChildren(...new DOMParser().parseFromString(content, "text/html").body.childNodes);
    const question = place.querySelector("p")?.textContent;
    if (question) document.dispatchEvent(new CustomEvent("announce", { detail: question }));
  };
  form.addEventListener("input", (event) => {
    if (!fields.includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
}
