// The facts of a ticket: what a ticket waits for is asked only where it waits, and what somebody is changing is not
// replaced by newer facts (saving shows both versions).
"use strict";
{
  const form = document.getElementById("ticket_form");
  // What was restored and not saved counts as changed too (data-stored).
  const isTouched = () => [...form.elements].some((field) => "stored" in field.dataset || (field.options
    ? [...field.options].some((option) => option.selected !== option.defaultSelected)
    : "defaultValue" in field && field.value !== field.defaultValue));
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id === "facts-fields" && (isTouched() || form.contains(document.activeElement))) event.detail.shouldSwap = false;
  });

  const showWaiting = () => {
    const waiting = document.getElementById("facts-fields").dataset.waitingStatuses.split(" ");
    const waits = waiting.includes(form.elements.status?.value);
    for (const name of ["waiting_for", "wakes_on"]) {
      const field = form.querySelector(`[data-field="${name}"]`);
      if (field) field.hidden = !waits && !field.querySelector(".errorlist");
    }
  };
  form.addEventListener("change", showWaiting);
  document.addEventListener("htmx:oobAfterSwap", showWaiting);
  showWaiting();
}
