// Runs before the first paint, as a classic script in the head.
//
// It owns what must work even when the app itself does not: the theme, a plain sentence where this browser cannot
// run the app, and the service worker that keeps the app usable without the server.
"use strict";

(() => {
  const root = document.documentElement;

  try {
    const theme = localStorage.getItem("theme");
    // Without a choice the page's own "system" stays.
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage is switched off: the system's colours apply, and the check below says what is wrong.
  }

  /** Also called by start.js, when loading fails. The sentence is for the person, the detail for the console. */
  function cannotStart(sentence, detail) {
    if (detail) console.error(detail);
    const show = () => {
      const place = document.getElementById("cannot-start");
      place.textContent = sentence;
      place.hidden = false;
    };
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show, { once: true });
    else show();
  }
  addEventListener("cannot-start", (event) => cannotStart(event.detail.sentence, event.detail.cause));

  function whatIsMissing() {
    if (!isSecureContext)
      return "This address is not secure, so the browser will not let the clinic keep records on this device. Open it with https, or as localhost.";
    if (typeof WebAssembly !== "object" || !("noModule" in HTMLScriptElement.prototype) || typeof Worker !== "function")
      return "This browser is too old for the clinic. Please update it, or use a current Chrome, Edge, Firefox or Safari.";
    if (!navigator.storage || !navigator.storage.getDirectory || !navigator.locks)
      return "This browser cannot keep the clinic's records on this device. Please update it, and do not use a private window.";
    return null;
  }
  const missing = whatIsMissing();
  if (missing) {
    root.dataset.cannotStart = "";
    cannotStart(missing);
    return;
  }

  if (!("serviceWorker" in navigator)) return;
  const wasControlled = navigator.serviceWorker.controller !== null;
  let reloading = false;

  /** The views look at `data-new-build` when they start, and listen for the event afterwards. */
  function tell(build) {
    root.dataset.newBuild = build || "";
    dispatchEvent(new CustomEvent("new-build", { detail: build }));
  }

  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (data && data.type === "new-build") tell(data.build);
  });
  navigator.serviceWorker.startMessages();

  // The first visit gets its controller without a reload: nothing of an older build is on the page.
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (!wasControlled || reloading) return;
    reloading = true;
    location.reload();
  });

  navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" }).then(
    (registration) => {
      // Waiting since an earlier visit: its message went to a page that is closed.
      if (registration.waiting) tell();
      addEventListener("activate-new-build", () => {
        if (registration.waiting) registration.waiting.postMessage({ type: "activate" });
      });
      const look = () => registration.update().catch(() => {}); // Without a network there is nothing new.
      document.addEventListener("visibilitychange", () => document.hidden || look());
      setInterval(look, 30 * 60 * 1000);
    },
    // The app works without it as long as the server answers.
    (error) => console.warn("no service worker", error),
  );
})();
