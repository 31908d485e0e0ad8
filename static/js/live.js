// Polls for updates: every five seconds while the page is visible, every minute in a background tab, and less and
// less often while the server doesn't answer. htmx fetches and inserts them; this script decides when, keeps the
// scroll position and the focus, and announces how much is new.
"use strict";
{
  const SEEN = 4500;
  const HIDDEN = 60000;
  const live = document.querySelector("[data-live]");
  const title = document.title;
  let timer;
  let news = 0;
  let failures = 0;
  let isOver = false;

  const ask = () => {
    clearTimeout(timer);
    if (!isOver) htmx.trigger(live, "live");
  };
  const askLater = () => {
    clearTimeout(timer);
    const pause = document.hidden ? HIDDEN : SEEN;
    if (!isOver) timer = setTimeout(ask, Math.min(pause * 2 ** failures, Math.max(pause, HIDDEN)));
  };
  const say = (text) => document.dispatchEvent(new CustomEvent("announce", { detail: text }));
  const count = (more) => {
    news = more ? news + more : 0;
    document.title = news ? `(${news}) ${title}` : title;
  };
  // Stop polling, and say why.
  const end = (reason) => {
    isOver = true;
    const notice = document.createElement("p");
    notice.className = "hint";
    notice.textContent = reason;
    live.after(notice);
    say(reason);
  };

  // An open page alone must not keep the session alive.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.matches("[data-live], [data-visit]")) event.detail.headers["X-Asks-By-Itself"] = "yes";
  });

  if (live) {
    document.addEventListener("news", (event) => {
      if (document.hidden || !document.hasFocus()) count(event.detail);
    });
    let anchor;
    let before;
    document.addEventListener("htmx:beforeSwap", (event) => {
      const { xhr, pathInfo } = event.detail;
      if (new URL(xhr.responseURL).pathname !== new URL(pathInfo.requestPath, location).pathname) {
        // Redirected to the login page.
        event.detail.shouldSwap = false;
        end(live.dataset.loggedOut);
        return;
      }
      anchor = document.activeElement !== document.body ? document.activeElement : document.querySelector(".say");
      before = anchor?.getBoundingClientRect().top;
      const bringsRows = xhr.status === 200 && !xhr.getResponseHeader("HX-Reswap");
      if (bringsRows) for (const row of document.querySelectorAll("[data-new]")) row.removeAttribute("data-new");
    });
    // What is typed is never replaced, and a question that is asked already keeps the focus.
    document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
      const { target, fragment } = detail;
      const isTyped = [...target.querySelectorAll("textarea")].some((field) => field.value !== field.defaultValue);
      const isAsked = "asks" in target.dataset && target.dataset.asks === fragment.firstElementChild?.dataset.asks;
      if (isTyped || isAsked) detail.shouldSwap = false;
    });
    document.addEventListener("htmx:afterSwap", (event) => {
      const fresh = [...event.detail.target.children].filter((row) => row.dataset.summary && !row.dataset.known);
      for (const row of fresh) row.dataset.known = row.dataset.new = "yes";
      if (anchor?.isConnected) scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: "instant" });
      if (!fresh.length) return;
      say(fresh.map((row) => row.dataset.summary).join(". "));
      if (document.hidden || !document.hasFocus()) count(fresh.length);
    });
    document.addEventListener("htmx:afterRequest", (event) => {
      const { xhr, successful } = event.detail;
      failures = successful ? 0 : failures + 1;
      if (xhr.status === 404 && live.dataset.gone) end(live.dataset.gone);
      askLater();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      count(0);
      ask();
    });
    addEventListener("focus", () => count(0));
    askLater();
  }
}
