// Actions on what is ticked happen in one panel over the list: it asks for the value, shows what changes and who is
// emailed, and applies in steps, so that its progress is true and what was done stays done. The form is the page that
// the server shows without a script.
"use strict";
{
  const list = document.getElementById("changelist-form");
  const live = document.querySelector("[data-live]");
  const said = document.querySelector("[data-row-said]");
  const panel = document.getElementById("bulk-panel");
  const part = (selector) => panel.querySelector(selector);
  const words = (name, number) =>
    panel.dataset[number === 1 ? `${name}One` : name].replace("[number]", number);
  const step = () => Number(panel.dataset.step); // tickets of a request
  let run = 0; // grows when the panel closes, so that answers to an earlier panel are dropped
  let preview; // the request for the newest preview
  const NOTHING = { changed: 0, refused: [], undo: [] };
  let before = NOTHING; // what was done until a step was refused as a whole
  let finished; // what was said while the panel stays open, with what undoes it
  let isWorking = false;
  let isStopped = false;

  const post = async (url, body, options) => {
    const response = await fetch(url, { method: "POST", body, ...options });
    if (response.redirected && new URL(response.url).pathname.includes("/login/")) location.reload();
    return response;
  };
  const pageOf = async (response) => {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (page.querySelector("form.change-many") || page.getElementById("changelist-form")) return page;
    throw new Error(response.status);
  };
  const tell = (said, undo) => document.dispatchEvent(new CustomEvent("saved", { detail: { said, undo } })); // undo.js
  const say = (text, { isProblem = false } = {}) => {
    part("[data-said]").textContent = text;
    part("[data-said]").toggleAttribute("data-problem", isProblem);
    if (!panel.open) tell(text);
  };
  const fail = (error) => error.name === "AbortError" || say(said.dataset.failed, { isProblem: true });

  // The form
  const show = (page) => {
    const form = page.querySelector("form.change-many");
    if (!form) { // such as: too many are ticked
      panel.close();
      tell([...page.querySelectorAll(".messagelist li")].map((line) => line.textContent.trim()).join(" "));
      return;
    }
    part("h2").textContent = page.querySelector("#content h1").textContent;
    part("[data-asked]").replaceChildren(form);
    if (!panel.open) panel.showModal();
    // What a status asks for comes with it (static/js/waiting.js).
    const selects = form.querySelectorAll("select[data-waiting-statuses]");
    for (const select of selects) select.dispatchEvent(new CustomEvent("change", { bubbles: true, detail: "shown" }));
    const wrong = form.querySelector("[aria-invalid=true]");
    (wrong ?? form.querySelector("select, input:not([type=hidden])"))?.focus();
  };
  const open = async (button) => show(await pageOf(await post(location.href, new FormData(list, button))));
  const refresh = async (form) => {
    preview?.abort();
    preview = new AbortController();
    const shown = form.querySelector(".bulk-preview");
    shown.setAttribute("aria-busy", "true");
    const apply = form.querySelector("[name=apply]");
    if (apply) apply.disabled = true;
    const page = await pageOf(await post(form.getAttribute("action"), new FormData(form), { signal: preview.signal }));
    form.querySelector(".bulk-preview").replaceWith(page.querySelector(".bulk-preview"));
    say(form.querySelector(".preview-sum")?.textContent.trim().replace(/\s+/g, " ") ?? "");
  };

  // Applying
  const stepsOf = (form, button) => {
    const [numbers, seen] = ["numbers", "seen"].map((name) => form.elements[name].value.split(","));
    const steps = [];
    for (let start = 0; start < numbers.length; start += step()) {
      const body = new FormData(form, button);
      body.set("numbers", numbers.slice(start, start + step()).join(","));
      body.set("seen", seen.slice(start, start + step()).join(","));
      steps.push(body);
    }
    return { steps, count: numbers.length };
  };
  const progress = (done, count) => {
    part("progress").max = count;
    part("progress").value = done;
    say(panel.dataset.progress.replace("[done]", done).replace("[count]", count));
  };
  const work = (isOn) => {
    isWorking = isOn;
    part(".bulk-progress").hidden = !isOn;
    part("[data-asked]").hidden = isOn;
    if (isOn) part("[data-stop]").focus();
  };
  const apply = async (form, button) => {
    const { steps, count } = stepsOf(form, button);
    const { changed, refused, undo } = before;
    const result = { changed, refused: [...refused], undo: [...undo], isDeletion: button.matches(".danger"), done: 0 };
    const current = run;
    isStopped = false;
    work(true);
    progress(0, count);
    try {
      for (const body of steps) {
        if (isStopped || current !== run) break;
        const response = await post(form.getAttribute("action"), body, { headers: { "X-Bulk-Change": "yes" } });
        if (!response.headers.get("Content-Type").startsWith("application/json")) {
          work(false);
          if (current !== run) return leave(result);
          // Refused as a whole: show the preview of all tickets that are not done yet.
          const rest = new FormData(form);
          rest.set("numbers", form.elements.numbers.value.split(",").slice(result.done).join(","));
          if (result.done) htmx.trigger(live, "live");
          before = result;
          show(await pageOf(await post(form.getAttribute("action"), rest)));
          return say(doneBefore());
        }
        const done = await response.json();
        result.changed += done.changed;
        result.refused.push(...done.refused);
        if (done.undo) result.undo.push(done.undo);
        result.done = Math.min(result.done + step(), count);
        if (current === run) progress(result.done, count);
      }
    } catch (error) {
      result.problem = said.dataset.failed;
    }
    work(false);
    if (current === run) finish(result, result.done < count);
    else leave(result);
  };
  const summary = ({ changed, refused, isDeletion, problem }, isCut) => {
    const didNothing = !changed && !refused.length;
    const text = didNothing ? panel.dataset.unchanged : words(isDeletion ? "deleted" : "updated", changed);
    return [text, problem ?? (isCut ? panel.dataset.stopped : "")].filter(Boolean).join(" ");
  };
  const doneBefore = () => (before.changed || before.refused.length ? summary(before, true) : "");
  // The panel was closed meanwhile.
  const leave = (result) => {
    tell(summary(result, true), result.undo.join(" "));
    htmx.trigger(live, "live");
  };
  const finish = (result, isCut) => {
    const text = summary(result, isCut);
    before = NOTHING;
    const refused = new Map(result.refused.map(([number, reason]) => [String(number), reason]));
    for (const box of list.querySelectorAll(".action-select:checked")) if (!refused.has(box.value)) box.click();
    htmx.trigger(live, "live");
    if (!refused.size && !isCut) {
      panel.close();
      tell(text, result.undo.join(" "));
      return;
    }
    finished = { text, undo: result.undo.join(" ") };
    part("[data-asked]").replaceChildren();
    say(refused.size ? `${text} ${words("refused", refused.size)}` : text);
    part(".bulk-refused").replaceChildren(...[...refused].map(([number, reason]) => {
      const line = document.createElement("li");
      line.dir = "auto";
      line.textContent = `#${number}: ${reason}`;
      return line;
    }));
    part("[data-end]").hidden = false;
    part("[data-close]").focus();
  };

  list.addEventListener("submit", (event) => {
    if (!event.submitter?.matches("[name=action]")) return;
    event.preventDefault();
    open(event.submitter).catch(fail);
  });
  panel.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isWorking) return;
    if (event.submitter?.matches("[name=apply]")) apply(event.target, event.submitter);
    else refresh(event.target).catch(fail);
  });
  panel.addEventListener("change", (event) => {
    if (event.detail !== "shown") refresh(event.target.form).catch(fail);
  });
  panel.addEventListener("click", (event) => {
    if (event.target.closest("[data-stop]")) isStopped = true;
    if (event.target !== panel && !event.target.closest(".closelink, [data-close]")) return;
    event.preventDefault();
    panel.close();
  });
  // The menu of a row uses the same field ids.
  panel.addEventListener("close", () => {
    if (finished?.undo) tell(finished.text, finished.undo);
    else if (doneBefore()) tell(doneBefore(), before.undo.join(" "));
    finished = undefined;
    before = NOTHING;
    run += 1;
    preview?.abort();
    isStopped = false;
    part("[data-asked]").replaceChildren();
    part(".bulk-refused").replaceChildren();
    part("[data-end]").hidden = true;
    part("[data-said]").textContent = "";
  });
}
