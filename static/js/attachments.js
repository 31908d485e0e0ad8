// Files of a message: drop them, paste them, choose them in several goes, take one away again.
// Without this script the file field works alone. Words come from the page (data-*), so they are translated.
"use strict";
for (const zone of document.querySelectorAll("[data-attachments]")) {
  const input = zone.querySelector("input[type=file]");
  const list = document.getElementById(zone.dataset.list);
  const template = document.getElementById(zone.dataset.template);
  const words = zone.dataset;
  const maxFiles = Number(words.maxFiles);
  const maxBytes = Number(words.maxBytes);
  const maxTogether = Number(words.maxTogether);
  const language = document.documentElement.lang;
  let files = [];

  const announce = (text) => document.dispatchEvent(new CustomEvent("announce", { detail: text }));
  const fill = (sentence, values) => sentence.replace(/\[(\w+)\]/g, (match, name) => values[name] ?? match);

  const sizeInWords = (bytes) => {
    const units = ["byte", "kilobyte", "megabyte"];
    const step = bytes < 1024 ? 0 : bytes < 1024 ** 2 ? 1 : 2;
    const format = { style: "unit", unit: units[step], unitDisplay: step ? "short" : "long", maximumFractionDigits: step === 2 ? 1 : 0 };
    return new Intl.NumberFormat(language, format).format(bytes / 1024 ** step);
  };

  const types = words.types.split(" ");
  const programs = words.programs.split(" ");

  const problemWith = (file) => {
    if (file.size === 0) return words.empty;
    if (file.size > maxBytes) return words.tooLarge;
    // The server tells a file without an extension by its bytes, and mends a known one that is wrong.
    const type = /\.([^.]+)$/.exec(file.name.trim())?.[1].toLowerCase() ?? "";
    const isRefused = programs.includes(type) || (type && /^[a-z0-9]+$/.test(type) && !types.includes(type));
    return isRefused ? fill(words.notAccepted, { type }) : "";
  };

  const show = () => {
    const transfer = new DataTransfer();
    for (const file of files) transfer.items.add(file);
    input.files = transfer.files;
    list.replaceChildren(...files.map((file, index) => {
      const row = template.content.cloneNode(true).firstElementChild;
      const problem = problemWith(file);
      const size = sizeInWords(file.size);
      row.querySelector("[data-name]").textContent = file.name;
      row.querySelector("[data-size]").textContent = problem ? `${size} · ${problem}` : size;
      row.toggleAttribute("data-bad", Boolean(problem));
      const remove = row.querySelector("button");
      remove.setAttribute("aria-label", fill(words.remove, { name: file.name }));
      remove.addEventListener("click", () => {
        files.splice(index, 1);
        show();
        announce(fill(words.removed, { name: file.name }));
        (list.querySelectorAll("button")[Math.min(index, files.length - 1)] ?? input).focus();
      });
      return row;
    }));
  };

  const add = (chosen) => {
    const known = (file) => files.some((other) => other.name === file.name && other.size === file.size && other.lastModified === file.lastModified);
    const fresh = [...chosen].filter((file) => !known(file));
    const room = fresh.slice(0, maxFiles - files.length);
    files.push(...room);
    show();
    const parts = room.map((file) => fill(words.added, { name: file.name, size: sizeInWords(file.size) }) + (problemWith(file) ? ` ${problemWith(file)}` : ""));
    const notes = [];
    if (room.length < fresh.length) notes.push(words.tooMany);
    if (files.reduce((sum, file) => sum + file.size, 0) > maxTogether) notes.push(words.tooLargeTogether);
    zone.querySelector("[data-note]").textContent = notes.join(" ");
    announce([...parts, ...notes].join(" "));
  };

  input.addEventListener("change", () => add(input.files));
  // What the server would refuse is not sent: it would come back without any of the files.
  const refuse = (event) => {
    if (!files.some(problemWith)) return;
    event.preventDefault();
    zone.querySelector("[data-note]").textContent = words.removeFirst;
    announce(words.removeFirst);
    list.querySelector("[data-bad] button").focus();
  };
  input.form.addEventListener("submit", refuse, { capture: true }); // before others take it for sent
  // The whole form takes what is dropped: beside the zone the browser would leave the page and show the file.
  input.form.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    zone.setAttribute("data-over", "");
  });
  input.form.addEventListener("dragleave", (event) => {
    if (!input.form.contains(event.relatedTarget)) zone.removeAttribute("data-over");
  });
  input.form.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    zone.removeAttribute("data-over");
    add(event.dataTransfer.files);
  });
  input.form.addEventListener("paste", (event) => {
    // Office programs put a picture of the text beside the text; then the text is meant.
    const { files: pasted, types } = event.clipboardData;
    if (!pasted.length || types.includes("text/plain")) return;
    event.preventDefault();
    const stamp = new Date().toTimeString().slice(0, 8).replaceAll(":", "-");
    add([...pasted].map((file, index) =>
      // Every pasted picture is called image.png; a name of its own tells them apart.
      file.name === "image.png" ? new File([file], `${words.screenshot} ${stamp}${index ? ` ${index + 1}` : ""}.png`, { type: file.type }) : file));
  });
  zone.setAttribute("data-ready", "");
}
