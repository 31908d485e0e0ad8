// Opens the pictures of a page in a viewer. Without JavaScript each picture opens as a link.
// Texts come from data attributes, so they are translated.
"use strict";
{
  const viewer = document.getElementById("picture-viewer");
  const image = new Image();
  const part = (name) => viewer.querySelector(`[data-${name}]`);
  let links = [];
  let place = 0;

  const show = (next) => {
    place = (next + links.length) % links.length;
    const { name, size, download } = links[place].dataset;
    image.src = links[place].href;
    image.alt = name;
    part("title").textContent = name;
    const words = viewer.dataset.place.replace("[number]", place + 1).replace("[count]", links.length);
    part("about").textContent = links.length > 1 ? `${size} · ${words}` : size;
    part("download").href = download;
    for (const name of ["previous", "next"]) part(name).hidden = links.length < 2;
  };

  if (viewer) {
    part("stage").append(image);
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-picture]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      links = [...document.querySelectorAll("a[data-picture]")];
      show(links.indexOf(link));
      viewer.showModal();
    });
    part("previous").addEventListener("click", () => show(place - 1));
    part("next").addEventListener("click", () => show(place + 1));
    part("close").addEventListener("click", () => viewer.close());
    viewer.addEventListener("click", (event) => { if (event.target.closest("[data-stage]") && event.target !== image) viewer.close(); });
    viewer.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") show(place - 1);
      else if (event.key === "ArrowRight") show(place + 1);
      else return;
      event.preventDefault();
    });
    viewer.addEventListener("close", () => {
      image.removeAttribute("src");
      links[place].focus();
    });
  }
}
