// A button that shows what was typed into a password field. Its words come from the page (a template element).
"use strict";
{
  const template = document.getElementById("password-button");
  for (const input of document.querySelectorAll("input[type=password]")) {
    const box = document.createElement("div");
    box.className = "input-with-button";
    input.replaceWith(box);
    const buttons = [...template.content.cloneNode(true).children];
    box.append(input, ...buttons);
    const show = (visible) => {
      input.type = visible ? "text" : "password";
      for (const button of buttons) button.hidden = (button.dataset.does === "show") === visible;
    };
    for (const button of buttons) {
      button.addEventListener("click", () => {
        show(button.dataset.does === "show");
        buttons.find((other) => !other.hidden).focus();
      });
    }
    // As text the browser would remember it among what was typed elsewhere.
    input.form.addEventListener("submit", () => show(false));
    show(false);
  }
}
