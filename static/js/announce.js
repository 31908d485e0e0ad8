// Not every screen reader reads a message that is on the page from the start, but all read what is added to a live
// region later. Other scripts announce text with document.dispatchEvent(new CustomEvent("announce", {detail: "text"})).
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
