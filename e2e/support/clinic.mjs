// A real server with a demonstration clinic in a folder of its own, and real browsers with profiles of their own.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { chromium } from "playwright-core";
import { sql } from "./postgres.mjs";

export const PASSWORD = "lantern-beagle-orchard-47";
export const DESK = "jana.dvorak@northgate.example";
export const VET = "ana.moreno@northgate.example";
export const TECHNICIAN = "tomas.kral@northgate.example";
export const ADMINISTRATOR = "eva.northgate@northgate.example";
/** Looks after clinics, and works at none. */
export const SYSTEM = "kofi.mensah@northgate.example";
export const OWNER = "petra.novak@example.org";

const DESKTOP = { width: 1440, height: 900 };
/** A phone, to be given to `Clinic.profile`. */
export const PHONE = { viewport: { width: 390, height: 844 }, touch: true };

const SERVER = process.env.SERVER ?? "../target/debug/sync-server";
/** Makes a store as builds left it that did not encrypt. */
export const FORMER_STORE = join(dirname(SERVER), "former_store");
export const WEB = process.env.WEB ?? "../dist/web";
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** A port that was free a moment ago. */
async function freePort() {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** Servers that run: none of them outlives the stories. */
const running = new Set();
process.on("exit", () => running.forEach((server) => server.kill("SIGKILL")));

export class Clinic {
  /** @param {{patients?: number, years?: number, databaseUrl?: string, web?: string, env?: Record<string, string>,
   *     elsewhere?: string, named?: boolean}} options `named` has it reached by a name, as passkeys need it; `elsewhere` begins the addresses of pages that are not ours: what they complain about is theirs */
  static async start(options = {}) {
    const clinic = new Clinic();
    clinic.elsewhere = options.elsewhere;
    clinic.folder = mkdtempSync(join(tmpdir(), "clinic-"));
    clinic.port = await freePort();
    clinic.address = `http://${options.named ? "localhost" : "127.0.0.1"}:${clinic.port}`;
    clinic.env = {
      ...process.env,
      DATA: join(clinic.folder, "data"),
      WEB: options.web ?? WEB,
      LISTEN: `127.0.0.1:${clinic.port}`,
      ...(options.named && { PUBLIC_ADDRESS: clinic.address }),
      ...options.env,
    };
    delete clinic.env.DATABASE_URL;
    if (options.databaseUrl) {
      clinic.env.DATABASE_URL = options.databaseUrl;
      // Postgres wants one that lies outside of it; a file of a database of one's own comes with one.
      clinic.env.MASTER_KEY = Buffer.alloc(32, 7).toString("base64");
    }
    const size = ["--patients", String(options.patients ?? 60), "--years", String(options.years ?? 5)];
    const demo = spawnSync(SERVER, ["admin", "demo", ...size], { env: clinic.env, encoding: "utf8" });
    if (demo.status !== 0) throw new Error(`admin demo: ${demo.stdout}\n${demo.stderr}`);
    clinic.documents = Number(/^(\d+) documents/.exec(demo.stdout)?.[1]);
    clinic.profiles = [];
    try {
      await clinic.revive();
    } catch (error) {
      await clinic.stop();
      throw error;
    }
    return clinic;
  }

  /** Starts the server again on the same folder and port, if it does not run. */
  async revive() {
    if (running.has(this.process)) return;
    this.log = "";
    const server = spawn(SERVER, ["serve"], { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    running.add(server);
    server.once("exit", () => running.delete(server));
    this.process = server;
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.log = (this.log + text).slice(-20_000)));
    }
    const deadline = Date.now() + 30_000;
    for (;;) {
      try {
        if ((await fetch(`${this.address}/health`)).ok) return;
      } catch {
        // Not listening yet.
      }
      if (this.process.exitCode !== null || Date.now() > deadline) throw new Error(`server: ${this.log}`);
      await setTimeout(50); // between two looks at a port there is no event
    }
  }

  /** As if the machine lost power. */
  async kill() {
    if (!running.has(this.process)) return;
    const ended = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await ended;
  }

  /** Asks the clinic's Postgres; what comes back is one line for each row. */
  sql(statement) {
    return sql(this.env.DATABASE_URL, statement);
  }

  /** The id of an account. The database tells nobody whose it is; the server's command line does, also while none runs. */
  accountOf(email) {
    const told = spawnSync(SERVER, ["admin", "erase-person", email], { env: this.env, encoding: "utf8" });
    const account = /account ([0-9a-f-]{36})/.exec(told.stdout)?.[1];
    if (!account) throw new Error(`admin erase-person: ${told.stdout}\n${told.stderr}`);
    return account;
  }

  rolesOf(email) {
    return this.sql(`select roles from memberships where account = '${this.accountOf(email)}'`).trim();
  }

  /** Somebody has these roles from now on, without the server having been told. */
  setRoles(email, roles) {
    this.sql(`update memberships set roles = '${roles}' where account = '${this.accountOf(email)}'`);
  }

  /** A browser with a profile of its own, as another device. */
  async profile(options = {}) {
    const folder = mkdtempSync(join(tmpdir(), "profile-"));
    const profile = new Profile(this, folder, options);
    this.profiles.push(profile);
    await profile.open();
    return profile;
  }

  async stop() {
    for (const profile of this.profiles) {
      await profile.close();
      rmSync(profile.folder, { recursive: true, force: true, maxRetries: 5 });
    }
    if (running.has(this.process)) {
      const ended = once(this.process, "exit");
      this.process.kill("SIGTERM");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Profile {
  constructor(clinic, folder, { viewport = DESKTOP, theme = "light", touch = false, address = clinic.address } = {}) {
    Object.assign(this, { clinic, folder, viewport, theme, touch, address });
    this.troubles = [];
  }

  async open() {
    this.context = await chromium.launchPersistentContext(this.folder, {
      executablePath: CHROMIUM,
      viewport: this.viewport,
      colorScheme: this.theme,
      hasTouch: this.touch,
      isMobile: this.touch,
      locale: "en-GB",
      timezoneId: "Europe/Prague",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    this.page = this.context.pages()[0] ?? (await this.context.newPage());
    this.watch(this.page);
  }

  /** Whatever the page complains about fails the story, but for the network, which the stories cut themselves. */
  watch(page) {
    page.on("pageerror", (error) => this.troubles.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      const expected = /ERR_CONNECTION|ERR_INTERNET|WebSocket connection|Failed to fetch|status of (401|403|409|410|422|429|503)/;
      const ours = !this.clinic.elsewhere || !page.url().startsWith(this.clinic.elsewhere);
      if (message.type() === "error" && ours && !expected.test(text)) this.troubles.push(`console: ${text}`);
    });
  }

  async close() {
    await this.context?.close();
    this.context = undefined;
  }

  /** The whole browser dies, as when a tablet's battery does. */
  async kill() {
    const pid = this.pid();
    const closed = once(this.context, "close");
    process.kill(pid, "SIGKILL");
    await closed;
    this.context = undefined;
  }

  pid() {
    const found = spawnSync("pgrep", ["-o", "-f", `user-data-dir=${this.folder}`], { encoding: "utf8" });
    const pid = Number(found.stdout.trim());
    if (!pid) throw new Error(`no browser runs on ${this.folder}`);
    return pid;
  }

  /** Closes the window as a person does: whom the browser asks, as not all is saved yet, stays and closes it then. */
  async leave() {
    // The driver's own close asks a page once only.
    const browser = await this.context.newCDPSession(this.page);
    await unlessAsked(this.page, "close", () => browser.send("Page.close"));
  }

  /** Loads the page anew as a person does: whom the browser asks, as not all is saved yet, stays and loads it then. */
  async reload() {
    await this.page.evaluate(() => {
      self.isToBeReloaded = true;
    });
    // What is asked of a page that takes its time to come reaches the new one, which is not to be loaded again.
    const again = () => this.page.evaluate(() => self.isToBeReloaded && setTimeout(() => location.reload()));
    await unlessAsked(this.page, "load", again);
  }

  async goto(path) {
    await this.page.goto(`${this.address}${path}`);
  }

  async signIn(email, password = PASSWORD) {
    await this.goto("/");
    await this.enter(email, password);
  }

  /** Somebody of those whom the lock screen shows comes in with their password, or with a PIN. */
  async unlock(secret = PASSWORD, name = undefined) {
    if (name) await this.page.getByRole("list", { name: "Who works here?" }).getByRole("button", { name }).click();
    await this.page.locator("#secret").fill(secret);
    await this.page.getByRole("button", { name: /^Unlock/ }).click();
  }

  /** Fills in the form that is on the screen, or that the lock screen has for whoever is new on the device. */
  async enter(email, password = PASSWORD) {
    const newcomer = this.page.getByRole("button", { name: "Sign in with email" });
    await this.page.getByRole("textbox", { name: "Email" }).or(newcomer).first().waitFor();
    if (await newcomer.isVisible()) await newcomer.click();
    await this.page.getByRole("textbox", { name: "Email" }).fill(email);
    await this.page.getByLabel("Password", { exact: true }).fill(password);
    await this.page.getByRole("button", { name: "Sign in", exact: true }).click();
  }
}

/**
 * Until the page has had this event. A browser that asks whether to leave first is told to stay, and it goes again a
 * moment later, as often as it takes: while one question is being closed Chromium does not ask another.
 */
async function unlessAsked(page, event, goes) {
  const stay = (dialog) => dialog.dismiss();
  page.on("dialog", stay);
  let gone = false;
  const happened = new Promise((done) => page.once(event, done)).then(() => (gone = true));
  while (!gone) {
    // A page that goes at this moment cannot be told any more.
    await goes().catch(() => {});
    await Promise.race([happened, setTimeout(500)]);
  }
  page.off("dialog", stay);
}
