// Saves drafts: what is typed into a form is stored on the server under the form's key, and survives when another
// form of the page is sent. Also removes the “Undo send” button when its time is over. Texts come from data
// attributes, so they are translated.
"use strict";
{
  const PAUSE = 800;
  const AGAIN = 10000; // after a failure
  const PATIENCE = 4000; // for which a form that is sent waits until the drafts are saved

  const wait = (time) => new Promise((done) => { setTimeout(done, time); });

  const NEVER_KEPT = ["hidden", "password", "file", "submit", "button", "reset", "image", "fieldset", "output"];

  const firstOf = new WeakMap(); // what a list shows where nothing is chosen in it

  // The field's values: the current ones, or those the page was loaded with.
  const chosen = (field, isNow) => {
    if (field.options) {
      const options = [...field.options].filter((option) => (isNow ? option.selected : option.defaultSelected));
      if (!options.length && firstOf.has(field)) return [firstOf.get(field)];
      return options.map((option) => option.value);
    }
    if (["checkbox", "radio"].includes(field.type)) {
      return (isNow ? field.checked : field.defaultChecked) ? [field.value] : [];
    }
    return [isNow ? field.value : field.defaultValue];
  };
  // In a form that edits stored values, only the changed values are a draft.
  const changed = (fields) => {
    const now = fields.flatMap((field) => chosen(field, true));
    const stored = fields.find((field) => field.dataset.stored)?.dataset.stored;
    const before = stored ? JSON.parse(stored) : fields.flatMap((field) => chosen(field, false));
    if (JSON.stringify(now) === JSON.stringify(before)) return [];
    return now.length ? now : [""];
  };

  // All of the page one after the other: an older text must not arrive last, and of two that come at once without a
  // session each would begin one, which the other then replaces.
  let underWay = Promise.resolve();

  // Where a page goes away, its last save overtakes the one that is under way: each has a number, and the server
  // keeps the highest.
  const PAGE = String(performance.timeOrigin);
  let saves = 0;

  // `place` is the form, or stands in it, and says how it is kept.
  const keeper = (place) => {
    const form = place.closest("form");
    const { kind, body: bodyName, key: keyName = "key", draft: address } = place.dataset;
    const state = form.querySelector("[data-draft-state]");
    for (const field of form.elements) {
      if (field.options?.length && !field.multiple) firstOf.set(field, field.options[0].value);
    }
    if (kind === "form") form.querySelector(".actions, .submit-row")?.after(state);
    const isTicked = (field) => (field instanceof RadioNodeList ? [...field].at(-1) : field).checked;
    const namesOf = () => {
      if (kind !== "form") return place.dataset.fields.split(" ").filter(Boolean);
      const kept = [...form.elements].filter((field) => field.name && !NEVER_KEPT.includes(field.type));
      return [...new Set(kept.map((field) => field.name))];
    };

    const typed = () => {
      const found = [];
      if (bodyName) found.push(["body", form.elements[bodyName].value]);
      for (const name of namesOf()) {
        const field = form.elements[name];
        if (!field) continue;
        if ("changes" in place.dataset) {
          const fields = [...form.elements].filter((element) => element.name === name);
          for (const value of changed(fields)) found.push([`field-${name}`, value]);
        } else if (name === "claims") {
          found.push([`field-${name}`, isTicked(field) ? "on" : ""]);
        } else {
          found.push([`field-${name}`, field.value]);
        }
      }
      const files = form.querySelector("input[type=file]");
      if (kind !== "form" && files?.files.length) found.push(["field-files", String(files.files.length)]);
      // So that a later save can say what someone else saved in the meantime.
      const { version } = form.elements;
      if (kind === "form" && found.length && version) found.push(["field-version", version.value]);
      return found;
    };

    let kept = JSON.stringify(typed());
    let timer;
    let isSent = false;
    let wasSent = false;
    let isLost = false;
    let sending; // the text of the save that is under way
    let last = 0; // the number of the newest save
    const isDirty = () => JSON.stringify(typed()) !== kept;

    const save = async () => {
      const now = typed();
      const text = JSON.stringify(now);
      if (isSent || text === kept || text === sending) return;
      const body = new FormData();
      const number = ++saves;
      for (const [name, value] of now) body.append(name, value);
      body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
      body.append("key", form.elements[keyName].value);
      body.append("restored", form.elements.restored.value);
      body.append("typed_by", form.elements.typed_by.value);
      body.append("kind", kind);
      body.append("save", `${PAGE}:${number}`);
      if (kind === "form") body.append("place", place.dataset.place);
      if (wasSent) body.append("resumed", "yes");
      let words = "";
      sending = text;
      last = number;
      try {
        const answer = await fetch(address, { method: "POST", body, keepalive: true, redirect: "manual" });
        if (answer.headers.get("Content-Type")?.startsWith("text/plain")) words = await answer.text();
        if (!answer.ok) throw new Error(answer.status);
        if (number !== last) return;
        kept = text;
        isLost = false;
        state.textContent = words || (now.some(([, value]) => value.trim()) ? place.dataset.kept : "");
      } catch {
        if (number !== last) return;
        isLost = true;
        state.textContent = isSent ? "" : words || place.dataset.lost;
        later(AGAIN);
      } finally {
        if (number === last) sending = undefined;
      }
    };
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
    addEventListener("pagehide", save); // nothing follows on this page
    addEventListener("beforeunload", (event) => { if (isLost && !isSent && isDirty()) event.preventDefault(); });
    // Show the draft, not what the browser restored.
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

  const keepers = [...document.querySelectorAll("[data-draft]")].map(keeper);
  let passing;

  // Sending any form leaves the page, so save the drafts first.
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
