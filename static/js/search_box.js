// Completes the last word in a search box. A datalist alone completes only the whole value.
"use strict";
{
  const box = document.querySelector("input[list=search-words]");
  const list = document.getElementById("search-words");
  const offered = [...list.options].map((option) => option.value);

  box.addEventListener("input", () => {
    const begin = box.value.lastIndexOf(" ") + 1;
    const before = box.value.slice(0, begin);
    const word = box.value.slice(begin).toLowerCase();
    const minus = word.startsWith("-") ? "-" : "";
    const fitting = offered.filter((words) => word && words.toLowerCase().startsWith(word.slice(minus.length)));
    list.replaceChildren(...fitting.map((words) => {
      const option = document.createElement("option");
      option.value = before + minus + words;
      return option;
    }));
  });
}
