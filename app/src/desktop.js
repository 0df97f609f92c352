// What the window's page does by itself, without asking the program.
"use strict";

// A key is on the screen at once, while the program's answer, the text that the field should show, comes a frame or more
// later. Whoever types fast is further by then, and the late answer would take letters away. So the program says along
// with every answer how many keys it has heard of (`data-heard`), and a field does not take an answer from before its
// last key: the answer to that one is on its way.
(() => {
  /** After so many milliseconds without an answer, the program has missed a key, as of a field that it took away. */
  const LATE = 1000;
  /** For each field, the number of its last key and when that was. */
  const last = new WeakMap();
  let count = 0;
  let latest = 0;
  let missed = 0;

  const heard = () => Number(document.querySelector("[data-heard]")?.dataset.heard ?? 0) + missed;

  addEventListener(
    "input",
    ({ target }) => {
      const now = performance.now();
      if (now - latest > LATE) missed += count - heard();
      count += 1;
      latest = now;
      last.set(target, { number: count, at: now });
    },
    true,
  );

  function isLate(field) {
    const key = last.get(field);
    return key !== undefined && key.number > heard() && performance.now() - key.at < LATE;
  }

  for (const { prototype } of [HTMLInputElement, HTMLTextAreaElement]) {
    const { get, set } = Object.getOwnPropertyDescriptor(prototype, "value");
    Object.defineProperty(prototype, "value", {
      configurable: true,
      enumerable: true,
      get,
      set(text) {
        if (!isLate(this)) set.call(this, text);
      },
    });
  }
})();

// The program goes on only once its last answer is on the page, which waits for a frame to be drawn. A window that nobody
// sees draws none, and what was typed in it just now still has to be saved.
(() => {
  const frame = window.requestAnimationFrame.bind(window);
  const waiting = new Map();

  function drawNow() {
    for (const [number, draw] of [...waiting]) {
      cancelAnimationFrame(number);
      waiting.delete(number);
      draw(performance.now());
    }
  }

  window.requestAnimationFrame = (draw) => {
    const number = frame((now) => {
      waiting.delete(number);
      draw(now);
    });
    waiting.set(number, draw);
    // No timer either: a hidden page's are held up for as long.
    if (document.hidden) queueMicrotask(drawNow);
    return number;
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) drawNow();
  });
})();

// The program's keys: whoever listens hears every key that nothing on the page has taken, until they end it.
(() => {
  const listeners = new Map();
  const fields = "input, select, textarea, [contenteditable], [role^=menuitem]";

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "k") event.preventDefault();
    const in_field = event.target.matches?.(fields) ?? false;
    for (const { tell } of listeners.values()) tell({ key: event.key, command, alt: event.altKey, in_field });
  });

  window.keyListeners = {
    begin: (name, tell) => new Promise((end) => listeners.set(name, { tell, end })),
    end(name) {
      listeners.get(name)?.end();
      listeners.delete(name);
    },
  };
})();

// Whether somebody is here: the program locks itself when it has not heard of anybody for a while.
(() => {
  let told = -Infinity;
  for (const name of ["keydown", "pointerdown", "wheel", "input"]) {
    addEventListener(
      name,
      () => {
        if (Math.abs(Date.now() - told) < 10_000) return;
        told = Date.now();
        window.someoneIsHere?.();
      },
      true,
    );
  }
})();

// Links: to a place on the page, to the world outside, which the system opens, or to another page of the program.
(() => {
  addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.("a[href]");
      if (!link) return;
      const href = link.getAttribute("href");
      const [, scheme] = /^([a-z]+):/.exec(href) ?? [];
      const other = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
      if (href.startsWith("#")) {
        document.getElementById(href.slice(1))?.focus();
      } else if (["tel", "sms", "mailto", "http", "https"].includes(scheme)) {
        window.openOutside?.(href);
      } else if (other) {
        // There are no further windows: the page opens here.
        link.click();
      } else {
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
})();
