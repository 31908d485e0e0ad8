// The details of a ticket: each is saved when it is changed, one request at a time. A field that is being edited is
// never replaced by a live update (the conflict page shows both values). On a phone a button opens the details.
"use strict";
{
  const form = document.getElementById("ticket_form");
  const button = form.querySelector("[data-save]");
  // Without JavaScript the form of the reply sends the details too; with it they are a form of their own.
  for (const field of form.querySelectorAll("[data-joins]")) field.remove();
  for (const field of form.querySelectorAll("[form='reply-form']")) field.removeAttribute("form");
  const say = (said, undo) => document.dispatchEvent(new CustomEvent("saved", { detail: { said, undo } }));
  // A restored value that isn't saved yet counts as changed (data-stored).
  const isTouched = () => [...form.elements].some((field) => "stored" in field.dataset || (field.options
    ? [...field.options].some((option) => option.selected !== option.defaultSelected)
    : "defaultValue" in field && field.value !== field.defaultValue));
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const isInUse = isTouched() || form.contains(document.activeElement);
    if (event.detail.target.id === "facts-fields" && isInUse) event.detail.shouldSwap = false;
  });

  let changed; // the field whose change was saved last
  const values = () => new URLSearchParams(new FormData(form)).toString();
  // A waiting status is saved together with the reason for waiting.
  const lacksReason = () => {
    const { status, waiting_for: reason } = form.elements;
    const waits = status?.dataset.waitingStatuses?.split(" ").includes(status.value);
    return waits && reason && reason.value === "" && reason.options[0].text !== "" && isChanged(status);
  };
  const isChanged = (field) => [...field.options].some((option) => option.selected !== option.defaultSelected);

  const replaceFields = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("facts-fields");
    const focused = document.activeElement?.id;
    const more = fresh.querySelector("details.more");
    if (more && document.querySelector("#facts-fields details.more")?.open) more.open = true;
    document.getElementById("facts-fields").replaceWith(fresh);
    document.dispatchEvent(new CustomEvent("htmx:oobAfterSwap")); // static/js/waiting.js
    if (focused) document.getElementById(focused)?.focus();
    return fresh;
  };

  const save = async () => {
    if (lacksReason()) {
      form.elements.waiting_for.focus();
      return;
    }
    const sent = values();
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "X-Saves-Details": "yes", "Content-Type": "application/x-www-form-urlencoded" },
      body: sent,
      redirect: "manual", // to the login page: its status is 0
    });
    if (answer.status === 409) {
      form.requestSubmit(button); // the page that shows both versions
      return;
    }
    if (![200, 422].includes(answer.status)) throw new Error(answer.status);
    const html = await answer.text();
    if (values() !== sent) { // changed further meanwhile: that is saved next
      const fresh = new DOMParser().parseFromString(html, "text/html");
      form.elements.version.value = fresh.querySelector("[name=version]").value;
      return;
    }
    const fields = replaceFields(html);
    const refused = [...fields.querySelectorAll(".errorlist li")].map((item) => item.textContent).join(" ");
    button.hidden = !refused;
    say(refused || form.dataset.saved, fields.querySelector("[data-undo]")?.value);
    if (!refused) tellOthers();
  };
  const tellOthers = () => {
    const live = document.querySelector("[data-live]");
    form.dispatchEvent(new Event("input")); // a draft of what is saved now is no longer needed: static/js/drafts.js
    if (live) htmx.trigger(live, "live");
  };
  document.addEventListener("undone", (event) => {
    replaceFields(event.detail);
    document.getElementById(changed)?.focus();
    tellOthers();
  });

  if (button) {
    button.hidden = button.dataset.save !== "needed" && !isTouched(); // before this script ran
    let underWay = Promise.resolve();
    form.addEventListener("change", (event) => {
      if (!event.target.closest("#facts-fields")) return;
      // A restored value may be out of date, so only the Save button saves it.
      if (form.querySelector("[data-stored]")) {
        button.hidden = false;
        return;
      }
      changed = event.target.id;
      underWay = underWay.then(save).catch(() => {
        button.hidden = false;
        say(form.dataset.failed);
      });
    });
  }

  const toggle = document.getElementById("details-toggle");
  const page = document.getElementById("content-main");
  toggle.hidden = false;
  page.dataset.details = form.querySelector(".errorlist, [data-restored]") ? "open" : "closed";
  const show = () => toggle.setAttribute("aria-expanded", String(page.dataset.details === "open"));
  toggle.addEventListener("click", () => {
    page.dataset.details = page.dataset.details === "open" ? "closed" : "open";
    show();
  });
  show();
}
