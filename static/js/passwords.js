// A button that shows the password. Its text comes from a template element, so it is translated.
"use strict";
{
  const template = document.getElementById("password-button");
  for (const input of document.querySelectorAll("input[type=password]")) {
    const buttons = [...template.content.cloneNode(true).children];
    // Don't move the field: it would lose the focus.
    input.after(...buttons);
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
    // Hide it before sending, or the browser stores the password as form history.
    input.form.addEventListener("submit", () => show(false));
    show(false);
  }
}
