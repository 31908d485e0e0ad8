// Says what was saved and offers to undo it: for ten seconds, and as long as the line is hovered or has the focus.
// Elsewhere: document.dispatchEvent(new CustomEvent("saved", {detail: {said: "text", undo: "of the server"}})).
"use strict";
{
  const OFFERED = 10000;
  const line = document.querySelector("[data-undo-line]");
  const said = line.querySelector("p");
  const button = line.querySelector("button");
  const form = document.getElementById("undo-form");
  let timer;

  const show = (text, undo = "") => {
    clearTimeout(timer);
    said.textContent = text;
    button.value = undo;
    button.hidden = !undo;
    line.dataset.undoLine = "shown";
    timer = setTimeout(end, OFFERED);
    const heard = undo ? `${text}. ${line.dataset.hint}` : text;
    document.dispatchEvent(new CustomEvent("announce", { detail: heard }));
  };
  const end = () => {
    if (line.matches(":hover, :focus-within")) {
      timer = setTimeout(end, 1000);
      return;
    }
    button.hidden = true;
    line.dataset.undoLine = "over";
  };
  const undo = async () => {
    const headers = { "X-Undo": form.dataset.by };
    const response = await fetch(form.action, { method: "POST", body: new FormData(form, button), headers });
    if (![200, 409].includes(response.status) || response.redirected) throw new Error(response.status);
    const answer = await response.json();
    show(answer.said);
    document.dispatchEvent(new CustomEvent("undone", { detail: answer.fields }));
  };

  document.addEventListener("saved", (event) => show(event.detail.said, event.detail.undo));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    undo().catch(() => show(line.dataset.failed));
  });
}
