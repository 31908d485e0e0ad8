// The composer on the staff's ticket page: the tabs Reply and Internal note, and the keys that send.
"use strict";
{
  const composer = document.querySelector(".composer");
  const formOf = (radio) => document.getElementById(`${radio.value}-form`);
  // A reply that others sent meanwhile counts as seen once it was in view; before that, sending asks first.
  const seen = document.querySelector("[data-seen-entry]");
  const watchNews = () => {
    const newest = document.querySelector("#story > [data-new]:last-of-type");
    if (!seen || !newest) return;
    const number = document.getElementById("live-after").value;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting) || document.hidden) return;
      observer.disconnect();
      seen.value = Math.max(seen.value, number); // an older message may come into view later
    });
    observer.observe(newest);
  };
  document.addEventListener("htmx:afterSettle", watchNews);
  document.addEventListener("visibilitychange", watchNews);
  // At the bottom of the window it is small until somebody uses it, and never covers what has the focus.
  const settle = () => {
    const focused = document.activeElement;
    const isUsed = composer.contains(focused) || composer.querySelector("details[open]");
    const isBegun = composer.querySelector(".errorlist, [data-restored], [data-error-summary]")
      || [...composer.querySelectorAll("textarea, input[type=file]")].some((field) => field.value);
    const isTall = composer.querySelector("details[open]:not([data-menu]), [data-error-summary]");
    composer.toggleAttribute("data-compact", !isUsed && !isBegun);
    composer.toggleAttribute("data-docked", !isTall && (!isBegun || isUsed || focused === document.body));
  };
  if (composer) {
    settle();
    document.addEventListener("focusin", settle);
    document.addEventListener("focusout", () => setTimeout(settle));
    composer.addEventListener("toggle", settle, { capture: true });
    composer.addEventListener("change", (event) => {
      if (event.target.name === "mode") formOf(event.target).querySelector("textarea").focus();
    });
    // What the server says to a message with files (uploads.js). Files and text are still in the form.
    composer.addEventListener("refused", ({ target: form, detail: { page, summary } }) => {
      for (const old of form.querySelectorAll("[data-error-summary], .invalid-feedback[id]")) old.remove();
      summary.querySelector("[data-files-lost]")?.remove();
      form.elements.restored.after(document.importNode(summary, true));
      const fresh = page.querySelector("[data-seen-entry]");
      if (form.contains(seen) && fresh) seen.value = fresh.value;
      form.querySelector("[data-error-summary]").focus();
    });
    composer.addEventListener("keydown", (event) => {
      const form = event.target.closest("form.say");
      if (!form || !event.target.matches("textarea")) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        const solved = event.shiftKey ? form.querySelector("[name=then][value=solved]") : null;
        form.requestSubmit(solved ?? form.querySelector(".actions button[type=submit]"));
      } else if (event.key === "/" && !event.target.value) {
        event.preventDefault();
        composer.querySelector("[data-saved-replies]").open = true;
      }
    });
  }
}
