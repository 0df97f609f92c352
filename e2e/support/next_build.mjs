// Another build of the web client: the same code under another name, as after an update of the server.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const BUILD = /<meta name="build" content="([0-9a-f]+)">/;

/** Copies the bundle in `folder` to `to` and gives it the build's name `name`. */
export function nextBuild(folder, to, name) {
  cpSync(folder, to, { recursive: true });
  const [, former] = BUILD.exec(readFileSync(join(to, "index.html"), "utf8"));
  for (const file of ["index.html", "service-worker.js"]) {
    const path = join(to, file);
    writeFileSync(path, readFileSync(path, "utf8").replaceAll(former, name));
    for (const packed of [".br", ".gz"]) rmSync(`${path}${packed}`, { force: true });
  }
}

/** The name of the build that a page runs. */
export const buildOf = (page) => page.locator('meta[name="build"]').getAttribute("content");
