// Messages that stand on a page from the start are not read out by every screen reader; what is put into
// a live region later is. Elsewhere: document.dispatchEvent(new CustomEvent("announce", {detail: "text"})).
"use strict";
{
  const region = document.getElementById("announcer");
  const say = (text) => {
    region.textContent = "";
    setTimeout(() => { region.textContent = text; }, 100);
  };
  document.addEventListener("announce", (event) => say(event.detail));
  const texts = [...document.querySelectorAll("[data-announce]")].map((message) => {
    message.removeAttribute("role");
    return message.textContent.trim();
  });
  if (texts.length) say(texts.join(" "));
}
