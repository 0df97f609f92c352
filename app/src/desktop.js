// In the window a key is on the screen at once, while the program hears of it a moment later and answers with the text
// that the field should show. Whoever types fast is further by then, and the late answer would take letters away. So a
// field does not take back a text that it had itself a moment ago; every other text it shows as it is told.
"use strict";

(() => {
  /** An answer that takes longer than this, in milliseconds, is not an answer to a key any more. */
  const LATE = 1000;
  const former = new WeakMap();

  addEventListener(
    "input",
    ({ target }) => {
      const texts = former.get(target)?.filter(({ at }) => performance.now() - at < LATE) ?? [];
      former.set(target, [...texts, { text: target.value, at: performance.now() }]);
    },
    true,
  );

  function isLate(field, text) {
    const texts = former.get(field) ?? [];
    return texts.slice(0, -1).some((one) => one.text === text && performance.now() - one.at < LATE);
  }

  for (const { prototype } of [HTMLInputElement, HTMLTextAreaElement]) {
    const { get, set } = Object.getOwnPropertyDescriptor(prototype, "value");
    Object.defineProperty(prototype, "value", {
      configurable: true,
      enumerable: true,
      get,
      set(text) {
        if (!isLate(this, text)) set.call(this, text);
      },
    });
  }
})();
