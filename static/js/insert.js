// Inserts a text into a field: at the cursor, or at the end as a paragraph of its own. Elsewhere:
// field.dispatchEvent(new CustomEvent("insert", {bubbles: true, detail: {text: "...", isAtEnd: true}})).
"use strict";
document.addEventListener("insert", ({ target: field, detail: { text, isAtEnd } }) => {
  const length = field.value.length;
  const [start, end] = isAtEnd ? [length, length] : [field.selectionStart, field.selectionEnd];
  const before = field.value.slice(0, start);
  const isBehind = before.trim() && start === length;
  const gap = isBehind ? "\n".repeat(Math.max(0, 2 - before.match(/\n*$/)[0].length)) : "";
  field.setRangeText(gap + text, start, end, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
