// Sends a form with files by XMLHttpRequest, which tells how far the upload is. If the server refuses the form, or
// the network fails, or somebody cancels it, text and files stay on the page. Words come from the page (data-*), so they are translated.
"use strict";
{
  const announce = (text) => document.dispatchEvent(new CustomEvent("announce", { detail: text }));

  const follow = (address) => {
    const url = new URL(address, location);
    const isSamePage = url.href.split("#")[0] === location.href.split("#")[0];
    if (!isSamePage) return location.assign(url);
    history.replaceState(null, "", url);
    return location.reload();
  };

  // The errors of the server's answer: its summary, and the text of each field by the field's id.
  const refusalIn = (page) => {
    const summary = page?.querySelector("[data-error-summary]");
    if (!summary) return null;
    const errors = [...page.querySelectorAll("[id$='_error']")];
    const texts = errors.map((error) => [error.id.slice(0, -"_error".length), error.textContent.trim()]);
    return { page, summary, errors: texts };
  };

  const send = (form, zone, submitter) => {
    const [shown, bar, text] = ["[data-upload]", "progress", "[data-upload-text]"].map((part) => zone.querySelector(part));
    const { uploading, uploadFailed, uploadCanceled } = zone.dataset;
    const cancel = zone.querySelector("[data-cancel]");
    const note = zone.querySelector("[data-note]");
    const request = new XMLHttpRequest();

    const stop = (refusal, words = uploadFailed) => {
      const hadFocus = cancel === document.activeElement;
      shown.hidden = true;
      delete form.dataset.uploading;
      form.dispatchEvent(new CustomEvent("failed"));
      if (refusal) {
        form.dispatchEvent(new CustomEvent("refused", { bubbles: true, detail: refusal }));
      } else {
        note.textContent = words;
        announce(words);
        if (hadFocus) submitter?.focus();
      }
    };
    cancel.hidden = false;
    cancel.onclick = () => request.abort();
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = total ? loaded / total : 0;
      text.textContent = uploading.replace("[percent]", Math.floor(100 * bar.value));
    });
    request.addEventListener("load", () => {
      const next = request.getResponseHeader("X-Location");
      if (next) follow(next);
      else stop(refusalIn(request.response));
    });
    for (const name of ["error", "timeout"]) request.addEventListener(name, () => stop(null));
    request.addEventListener("abort", () => stop(null, uploadCanceled));
    // The server has all of it now, so that canceling would no longer stop it.
    request.upload.addEventListener("load", () => { cancel.hidden = true; });

    form.dataset.uploading = "yes";
    note.textContent = "";
    bar.value = 0;
    text.textContent = uploading.replace("[percent]", 0);
    shown.hidden = false;
    announce(text.textContent);
    request.open("POST", submitter?.hasAttribute("formaction") ? submitter.formAction : form.getAttribute("action") || location.href);
    request.setRequestHeader("X-Upload", "yes");
    request.responseType = "document";
    request.send(new FormData(form, submitter));
  };

  // Last of all listeners: nobody has stopped the form.
  addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    const zone = form.querySelector("[data-attachments]");
    const input = zone?.querySelector("input[type=file][name]");
    if (event.defaultPrevented || !input?.files.length) return;
    event.preventDefault();
    send(form, zone, submitter);
  });
}
