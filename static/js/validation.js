// Checks a field when it is left after a change, and the whole form when it is sent, by the rules and with the
// messages that the server put into its attributes (helpdesk/form_fields.py). Rules without a message are
// checked by the server alone.
"use strict";
{
  const template = document.getElementById("error-summary");
  const changed = new WeakSet();
  const left = new Set(); // fields that were left while a pointer was pressed
  let isPressed = false;

  const say = (text) => document.dispatchEvent(new CustomEvent("announce", { detail: text }));
  const isChecked = (form) => form?.method === "post" && form.noValidate;
  const fieldsOf = (form) => [...form.elements].filter((field) => field.id && field.willValidate);

  const problemOf = (field) => {
    const { dataset, validity, value } = field;
    if (validity.customError) return field.validationMessage;
    const isEmpty = validity.valueMissing || (field.type !== "password" && !value?.trim());
    if (field.required && isEmpty) return dataset.required ?? "";
    if (!value) return "";
    if (value.length < field.minLength) return dataset.tooShort ?? "";
    return validity.patternMismatch || validity.badInput ? dataset.invalid ?? "" : "";
  };

  const show = (field, problem) => {
    const id = `${field.id}_error`;
    const described = new Set((field.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
    document.getElementById(id)?.remove();
    described.delete(id);
    if (problem) {
      const error = document.createElement("div");
      const text = document.createElement("p");
      error.id = id;
      error.className = "invalid-feedback";
      text.textContent = problem;
      error.append(text);
      document.getElementById(`div_${field.id}`)?.append(error);
      described.add(id);
      field.setAttribute("aria-invalid", "true");
    } else {
      field.removeAttribute("aria-invalid");
    }
    field.classList.toggle("is-invalid", Boolean(problem));
    if (described.size) field.setAttribute("aria-describedby", [...described].join(" "));
    else field.removeAttribute("aria-describedby");
  };

  const labelOf = (field) => {
    const label = (document.getElementById(`${field.id}_name`) ?? field.labels[0])?.cloneNode(true);
    for (const part of label?.querySelectorAll(".optional") ?? []) part.remove();
    return label?.textContent.trim() ?? "";
  };

  const place = (form, summary) => {
    form.querySelector("[data-error-summary]")?.remove();
    form.prepend(summary);
    const { title } = template.dataset;
    if (!document.title.startsWith(title)) document.title = `${title} ${document.title}`;
    summary.focus();
  };

  // The same summary as the server's, in its place.
  const summarize = (form, problems) => {
    const summary = template.content.firstElementChild.cloneNode(true);
    summary.querySelector("ul").replaceChildren(...problems.map(([field, problem]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `#${field.id}`;
      link.textContent = `${labelOf(field)}: ${problem}`;
      item.append(link);
      return item;
    }));
    place(form, summary);
  };

  const check = (field) => {
    if (!changed.delete(field)) return;
    const problem = problemOf(field);
    show(field, problem);
    if (problem) say(problem);
  };

  document.addEventListener("input", ({ target: field }) => {
    if (!isChecked(field.form)) return;
    changed.add(field);
    // What is shown goes as soon as it is mended; nothing new is shown while somebody types.
    if (field.matches("[aria-invalid]") && !problemOf(field)) show(field, "");
  });
  document.addEventListener("change", ({ target: field }) => {
    if (isChecked(field.form)) changed.add(field);
  });
  // An error that appears under a pressed pointer would move away the button that is being clicked.
  const flush = () => {
    isPressed = false;
    for (const field of left) check(field);
    left.clear();
  };
  document.addEventListener("pointerdown", () => { isPressed = true; }, { capture: true });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => setTimeout(flush), { capture: true });
  }
  document.addEventListener("focusout", ({ target: field }) => {
    if (!isChecked(field.form) || !field.willValidate) return;
    if (isPressed) left.add(field);
    else check(field);
  });

  // What the server says to an upload (uploads.js).
  document.addEventListener("refused", ({ target: form, detail: { summary, errors } }) => {
    const texts = new Map(errors);
    for (const field of fieldsOf(form)) show(field, texts.get(field.id) ?? "");
    place(form, document.importNode(summary, true));
  });

  // Before anybody takes the form for sent.
  addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (!isChecked(form) || submitter?.formNoValidate) return;
    const problems = [];
    for (const field of fieldsOf(form)) {
      const problem = problemOf(field);
      if (problem || changed.delete(field)) show(field, problem);
      if (problem) problems.push([field, problem]);
    }
    if (!problems.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    summarize(form, problems);
  }, { capture: true });
}
