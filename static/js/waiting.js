// Shows the fields for the reason and the end of waiting only with a waiting status. Without JavaScript they are
// always visible, and ignored with any other status.
"use strict";
{
  const show = (select) => {
    const waits = select.dataset.waitingStatuses.split(" ").includes(select.value);
    for (const name of ["waiting_for", "wakes_on", "wakes_after"]) {
      const field = select.form.elements[name];
      if (!field) continue;
      const isWrong = field.getAttribute("aria-invalid") === "true";
      const row = field.closest("[data-field], .form-row, [id^=div_]");
      row.hidden = !waits && !isWrong;
      row.dataset.decided = "";
    }
  };
  const showAll = () => document.querySelectorAll("select[data-waiting-statuses]").forEach(show);
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-waiting-statuses]")) show(event.target);
  });
  document.addEventListener("htmx:oobAfterSwap", showAll);
  showAll();
}
