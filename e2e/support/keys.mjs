// A person without a mouse: everything by the keyboard, and the focus always to be seen.
import assert from "node:assert/strict";

/** So many stops of Tab are a long way on any screen. */
const FAR = 120;

export class Keys {
  constructor(device) {
    this.device = device;
  }

  get page() {
    return this.device.page;
  }

  press = (key) => this.page.keyboard.press(key);
  type = (text) => this.page.keyboard.type(text);

  /** What has the focus, as it would be read out. */
  focused() {
    return this.page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return "the page";
      const labelled = element.getAttribute("aria-labelledby");
      const name =
        element.getAttribute("aria-label") ??
        (labelled && document.getElementById(labelled)?.textContent) ??
        element.labels?.[0]?.textContent ??
        element.textContent;
      return `${element.getAttribute("role") ?? element.tagName.toLowerCase()} ${name.trim().replaceAll(/\s+/g, " ").slice(0, 60)}`;
    });
  }

  /** Goes on with Tab until what `locator` means has the focus. On each stop the focus must be visible. */
  async tabTo(locator, key = "Tab") {
    const way = [];
    for (let stop = 0; stop < FAR; stop++) {
      if (await this.has(locator)) return;
      await this.press(key);
      const here = await this.focused();
      // At the page's end the focus goes to the browser's own buttons, and from there to the page again.
      if (here !== "the page") await this.isSeen();
      way.push(here);
    }
    assert.fail(`Tab does not come to ${locator}; it went by\n  ${way.join("\n  ")}`);
  }

  async has(locator) {
    return (await locator.count()) > 0 && (await locator.first().evaluate((element) => element === document.activeElement));
  }

  /** Until what `locator` means has the focus. */
  async focusComesTo(locator) {
    await locator.first().waitFor();
    const handle = await locator.first().elementHandle();
    try {
      await this.page.waitForFunction((element) => element === document.activeElement, handle);
    } catch {
      assert.fail(`the focus is on ${await this.focused()} and not on ${locator}`);
    }
  }

  /** Until the focus is on something in what `locator` means. */
  async focusStaysIn(locator) {
    const handle = await locator.elementHandle();
    try {
      await this.page.waitForFunction((element) => element.contains(document.activeElement), handle);
    } catch {
      assert.fail(`the focus is on ${await this.focused()} and not in ${locator}`);
    }
  }

  /** The ring around what has the focus: drawn on it, or on the field around it. */
  async isSeen() {
    const ring = await this.page.evaluate(() => {
      const probe = document.body.appendChild(document.createElement("i"));
      probe.style.color = "var(--accent)";
      const accent = getComputedStyle(probe).color;
      probe.remove();
      const drawn = (element) => {
        const { boxShadow, outlineStyle, outlineWidth, outlineColor, borderTopColor } = getComputedStyle(element);
        const outline = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && !/, 0\)$/.test(outlineColor);
        return outline || boxShadow !== "none" || borderTopColor === accent;
      };
      const element = document.activeElement;
      const box = element.getBoundingClientRect();
      const around = [element, element.parentElement, element.parentElement?.parentElement];
      // A field's frame may be its parent's; what is larger than that says nothing about the focus.
      return around.some(
        (one) => one && drawn(one) && one.getBoundingClientRect().height < box.height + 80,
      );
    });
    assert.ok(ring, `the focus on ${await this.focused()} cannot be seen`);
  }

  /** Presses Enter on what Tab comes to. */
  async use(locator) {
    await this.tabTo(locator);
    await this.press("Enter");
  }

  /** Writes into the field that Tab comes to, in place of what it held. */
  async fill(locator, text) {
    await this.tabTo(locator);
    await this.press("Control+a");
    await this.type(text);
  }
}
