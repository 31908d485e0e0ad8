// Keeps what is typed into a form on the server, each form under its own key, and takes the button to take a reply
// back away in time. What is typed in one form of the page survives the sending of another. Words come from the
// page (data-*), so they are translated.
"use strict";
{
  const PAUSE = 800;
  const AGAIN = 10000; // after a failure
  const PATIENCE = 2000; // for which a form that is sent waits until the drafts are saved

  const wait = (time) => new Promise((done) => { setTimeout(done, time); });

  const keeper = (form) => {
    const state = form.querySelector("[data-draft-state]");
    const names = form.dataset.fields.split(" ").filter(Boolean);
    const isTicked = (field) => (field instanceof RadioNodeList ? [...field].at(-1) : field).checked;
    // Of a form that shows what is stored only what differs is a draft.
    const differs = (field) => field.value !== (field.dataset.stored
      ?? (field.options ? [...field.options].find((option) => option.defaultSelected)?.value : field.defaultValue) ?? "");

    const typed = () => {
      const found = [];
      if (form.dataset.body) found.push(["body", form.elements[form.dataset.body].value]);
      for (const name of names) {
        const field = form.elements[name];
        if (!field) continue;
        if ("changes" in form.dataset) {
          if (differs(field)) found.push([`field-${name}`, field.value]);
        } else if (name === "claims") {
          found.push([`field-${name}`, isTicked(field) ? "on" : ""]);
        } else {
          found.push([`field-${name}`, field.value]);
        }
      }
      const files = form.querySelector("input[type=file]");
      if (files?.files.length) found.push(["field-files", String(files.files.length)]);
      return found;
    };

    let kept = JSON.stringify(typed());
    let timer;
    let isSent = false;
    let wasSent = false;
    let underWay = Promise.resolve();
    const isDirty = () => JSON.stringify(typed()) !== kept;

    const save = async () => {
      if (isSent || !isDirty()) return;
      const body = new FormData();
      const now = typed();
      const text = JSON.stringify(now);
      for (const [name, value] of now) body.append(name, value);
      body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
      body.append("key", form.elements[form.dataset.key ?? "key"].value);
      body.append("restored", form.elements.restored.value);
      body.append("kind", form.dataset.kind);
      if (wasSent) body.append("resumed", "yes");
      try {
        const answer = await fetch(form.dataset.draft, { method: "POST", body, keepalive: true, redirect: "manual" });
        if (!answer.ok) throw new Error(answer.status);
        kept = text;
        state.textContent = now.some(([, value]) => value.trim()) ? form.dataset.kept : "";
      } catch {
        state.textContent = isSent ? "" : form.dataset.lost;
        later(AGAIN);
      }
    };
    // One after the other: an older text must not arrive last.
    const keep = () => {
      clearTimeout(timer);
      underWay = underWay.then(save);
      return underWay;
    };
    const later = (time) => {
      clearTimeout(timer);
      timer = setTimeout(keep, time);
    };
    form.addEventListener("input", () => later(PAUSE));
    form.addEventListener("change", () => later(PAUSE));
    document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });
    addEventListener("pagehide", keep);
    // The draft decides what stands here, not what the browser remembers of the page.
    form.autocomplete = "off";

    return {
      form,
      keep,
      isDirty,
      send() {
        clearTimeout(timer);
        isSent = wasSent = true;
      },
      release() {
        isSent = false;
      },
    };
  };

  const keepers = [...document.querySelectorAll("form[data-draft]")].map(keeper);
  let passing;

  // Any form that is sent takes the page away: first the drafts are saved, then it goes.
  document.addEventListener("submit", async (event) => {
    const { target: form, submitter } = event;
    if (form.method !== "post" || form === passing || form.dataset.sent) return;
    if (!keepers.some((one) => one.isDirty())) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (form.dataset.waits) return;
    form.dataset.waits = "yes";
    await Promise.race([Promise.all(keepers.map((one) => one.keep())), wait(PATIENCE)]);
    delete form.dataset.waits;
    passing = form;
    form.requestSubmit(submitter);
    passing = undefined;
  }, { capture: true });
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    keepers.find((one) => one.form === event.target)?.send();
  });
  document.addEventListener("released", (event) => keepers.find((one) => one.form === event.target)?.release());
}
{
  const expire = (forms) => {
    for (const form of forms) setTimeout(() => form.remove(), Number(form.dataset.seconds) * 1000);
  };
  expire(document.querySelectorAll("form[data-seconds]"));
  document.addEventListener("htmx:afterSwap", (event) => {
    expire(event.detail.target.querySelectorAll("[data-new] form[data-seconds]"));
  });
}
