// The files of a message: drop, paste or choose them, add more, remove one.
// Without JavaScript the plain file field works. Texts come from data attributes, so they are translated.
"use strict";
for (const zone of document.querySelectorAll("[data-attachments]")) {
  const input = zone.querySelector("input[type=file][name]");
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

  // The rules of tickets/rules/file_types.py: a file that the server accepts is never refused here.
  const types = words.types.split(" ");
  const refused = words.refused.split(" ");
  const marks = words.marks.split(" ").filter(Boolean).map((mark) => {
    const [offset, hex] = mark.split(":");
    return { offset: Number(offset), bytes: hex.match(/../g).map((byte) => parseInt(byte, 16)) };
  });
  const heads = new WeakMap(); // the first bytes of files whose names don't tell

  const extension = (name) => {
    const visible = name.normalize("NFC").replace(/\p{Cf}/gu, "").replace(/[\p{C}\p{Z}]/gu, " ");
    const seen = visible.replace(/^[ .]+|[ .]+$/g, "");
    const dot = seen.lastIndexOf(".");
    const type = dot > 0 ? seen.slice(dot + 1).toLowerCase() : "";
    return /^(?=[0-9]*[a-z])[a-z0-9]+$/.test(type) ? type : "";
  };

  const isUtf16 = (head) => (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  const isText = (head) => !head.includes(0) || isUtf16(head);
  const isAt = (head, { offset, bytes }) => bytes.every((byte, place) => head[offset + place] === byte);
  const isMarked = (head) => marks.some((mark) => isAt(head, mark));

  const isRefused = (file) => {
    const type = extension(file.name), head = heads.get(file);
    if (refused.includes(type)) return true;
    if (types.includes(type) || !head) return false;
    return !isMarked(head) && (type !== "" || !types.includes("txt") || !isText(head));
  };

  const look = async (file) => {
    if (types.includes(extension(file.name))) return;
    try {
      heads.set(file, new Uint8Array(await file.slice(0, 8192).arrayBuffer()));
    } catch { /* it can't be read (any more): then the server says so */ }
  };

  const problemWith = (file) => {
    if (file.size === 0) return words.empty;
    if (file.size > maxBytes) return words.tooLarge;
    if (!isRefused(file)) return "";
    const type = extension(file.name);
    return type ? fill(words.notAccepted, { type }) : words.unknown;
  };

  const show = () => {
    const transfer = new DataTransfer();
    for (const file of files) transfer.items.add(file);
    input.files = transfer.files;
    // What the server would refuse is not sent (validation.js): it would come back without any of the files.
    input.setCustomValidity(files.some(problemWith) ? words.removeFirst : "");
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

  const add = async (chosen) => {
    const known = (file) => files.some((other) => other.name === file.name && other.size === file.size && other.lastModified === file.lastModified);
    const fresh = [...chosen].filter((file) => !known(file));
    const room = fresh.slice(0, maxFiles - files.length);
    files.push(...room);
    show();
    await Promise.all(room.map(look));
    show();
    const parts = room.map((file) => fill(words.added, { name: file.name, size: sizeInWords(file.size) }) + (problemWith(file) ? ` ${problemWith(file)}` : ""));
    const notes = [];
    if (room.length < fresh.length) notes.push(words.tooMany);
    if (files.reduce((sum, file) => sum + file.size, 0) > maxTogether) notes.push(words.tooLargeTogether);
    zone.querySelector("[data-note]").textContent = notes.join(" ");
    announce([...parts, ...notes].join(" "));
  };

  input.addEventListener("change", () => add(input.files));
  // Opens the camera on a phone. The input has no name: its pictures are added to the real field.
  const camera = zone.querySelector("[data-camera]");
  camera.addEventListener("change", () => {
    add([...camera.files]);
    camera.value = "";
  });
  // Don't send what the server would refuse: the form would come back without its files.
  const refuse = (event) => {
    if (event.submitter?.formNoValidate || !files.some(problemWith)) return;
    event.preventDefault();
    zone.querySelector("[data-note]").textContent = words.removeFirst;
    announce(words.removeFirst);
    list.querySelector("[data-bad] button").focus();
  };
  input.form.addEventListener("submit", refuse, { capture: true }); // before others take it for sent
  // Accept a drop anywhere in the form: outside of it the browser would leave the page to show the file.
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
    // Office programs copy text as a picture too. If there is text, paste the text.
    const { files: pasted, types } = event.clipboardData;
    if (!pasted.length || types.includes("text/plain")) return;
    event.preventDefault();
    const stamp = new Date().toTimeString().slice(0, 8).replaceAll(":", "-");
    add([...pasted].map((file, index) =>
      // Browsers call every pasted picture image.png. Give each its own name.
      file.name === "image.png" ? new File([file], `${words.screenshot} ${stamp}${index ? ` ${index + 1}` : ""}.png`, { type: file.type }) : file));
  });
  zone.setAttribute("data-ready", "");
}
