// What axe-core says about a screen, in both themes.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const THEMES = ["light", "dark"];

/** Collects what is wrong with the screens of a walk, each fault once with the screens that have it. */
export class Audit {
  faults = new Map();

  async of(page, screen) {
    // The page's content security policy takes no foreign script; a debugger is none.
    if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      const found = await page.evaluate(async () => {
        const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
        return violations.flatMap(({ id, nodes }) =>
          nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary.replaceAll("\n", " ")}`),
        );
      });
      for (const fault of found) this.faults.set(fault, [...(this.faults.get(fault) ?? []), `${screen} (${theme})`]);
    }
  }

  /** Looks at a screen of a device; and keeps a picture of it in each theme where SHOTS says so. */
  async look(device, screen, picture = {}) {
    await this.of(device.page, screen);
    if (!process.env.SHOTS) return;
    mkdirSync(process.env.SHOTS, { recursive: true });
    for (const theme of THEMES) {
      await device.page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      const name = `${screen}-${device.touch ? "phone" : "desktop"}-${theme}.png`.replaceAll(" ", "-");
      await device.page.screenshot({ path: join(process.env.SHOTS, name), ...picture });
    }
  }

  /** One line for each fault. */
  lines() {
    return [...this.faults].map(([fault, screens]) => `${fault} — on ${screens.join(", ")}`);
  }
}
