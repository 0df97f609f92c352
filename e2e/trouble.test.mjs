// What goes wrong in a clinic's day, and that the screen says so and nothing is lost.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Clinic, DESK, OWNER, TECHNICIAN, VET, WEB } from "./support/clinic.mjs";
import { buildOf, nextBuild } from "./support/next_build.mjs";
import { freshDatabase, stopCluster } from "./support/postgres.mjs";
import {
  allAtTheClinic, banner, card, day, find, offline, reads, saved, section, startRex, status,
} from "./support/screens.mjs";
import { breakFileSystem } from "./support/walk.mjs";

let clinic, desk, vet, visit;

before(async () => {
  clinic = await Clinic.start({ patients: 40, databaseUrl: await freshDatabase() });
  [desk, vet] = await Promise.all([clinic.profile(), clinic.profile()]);
});

after(async () => {
  await clinic?.stop();
  await stopCluster();
});

const alert = (device) => device.page.getByRole("alert");
const dialog = (device) => device.page.getByRole("dialog");

/** What both do while the server is dead, one after the other; then it returns and takes it all. */
async function apart(first, second) {
  await clinic.kill();
  for (const device of [desk, vet]) await offline(device);
  try {
    await first(desk);
    await second(vet);
  } finally {
    await clinic.revive();
  }
  for (const device of [desk, vet]) await allAtTheClinic(device);
}

test("a wrong password and an unknown name get the same words", async () => {
  await desk.goto("/");
  const said = [];
  for (const [email, password] of [[DESK, "not the password"], ["nobody@northgate.example", "not the password"]]) {
    await desk.enter(email, password);
    await alert(desk).waitFor();
    said.push(await alert(desk).innerText());
    assert.equal(await desk.page.getByLabel("Password", { exact: true }).inputValue(), "");
    await desk.page.reload();
  }
  assert.match(said[0], /That email and password do not go together/);
  assert.equal(said[0], said[1]);
});

test("signing in without the server says so, and works once it is back", async () => {
  await clinic.kill();
  await desk.enter(DESK);
  await alert(desk).filter({ hasText: "The clinic cannot be reached" }).waitFor();
  assert.equal(await desk.page.getByLabel("Email").inputValue(), DESK);
  await clinic.revive();
  await desk.page.getByRole("button", { name: "Sign in", exact: true }).click();
  await day(desk).waitFor();
  await allAtTheClinic(desk);
});

test("a page that this tab has never opened opens with the server dead", async () => {
  await find(desk, "petra novak", /^Petra Novak/);
  await desk.page.getByRole("heading", { name: "Petra Novak" }).waitFor();
  const address = desk.page.url();
  await clinic.kill();
  await desk.page.close();
  desk.page = await desk.context.newPage();
  desk.watch(desk.page);
  await desk.page.goto(address);
  await desk.page.getByRole("heading", { name: "Petra Novak" }).waitFor();
  await offline(desk);
  await clinic.revive();
  await allAtTheClinic(desk);
});

test("a device that can keep nothing says so and offers nothing else", async () => {
  const tablet = await clinic.profile();
  await breakFileSystem(tablet);
  await tablet.goto("/");
  await tablet.page.getByText("This window cannot keep your work").waitFor();
  await tablet.page.getByRole("button", { name: "Copy the address" }).waitFor();
  assert.equal(await tablet.page.getByRole("textbox").count(), 0);
  assert.equal(await status(tablet).count(), 0);
  // The files can be opened again: the same address works.
  await tablet.close();
  rmSync(join(tablet.folder, "Default", "File System"));
  await tablet.open();
  await tablet.goto("/");
  await tablet.page.getByLabel("Email").waitFor();
  await tablet.close();
});

test("a browser without a private file system is told before anything is loaded", async () => {
  const old = await clinic.profile();
  await old.context.addInitScript(() => delete StorageManager.prototype.getDirectory);
  await old.goto("/");
  await alert(old).filter({ hasText: "This browser cannot keep the clinic's records on this device" }).waitFor();
  assert.equal(await old.page.getByRole("textbox").count(), 0);
  await old.close();
});

test("what is typed when a tab is closed or reloaded is there afterwards", async () => {
  await vet.signIn(VET);
  await day(vet).waitFor();
  visit = await startRex(vet);
  const history = () => section(vet, "History");
  await history().fill("Vomited.");
  await saved(vet, "At the clinic").waitFor();
  await history().press("End");
  await history().pressSequentially(" Then ate");
  await vet.reload();
  await reads(vet, "History", "Vomited. Then ate");
  await history().press("End");
  await history().pressSequentially(" grass.");
  await vet.leave();
  vet.page = await vet.context.newPage();
  vet.watch(vet.page);
  await vet.goto(visit);
  await reads(vet, "History", "Vomited. Then ate grass.");
  // A value that was typed, without Enter.
  const temperature = () => vet.page.getByRole("textbox", { name: /^Temperature/ });
  await temperature().fill("39.1");
  await vet.reload();
  await vet.page.waitForFunction(() => document.querySelector('[aria-label="History"]')?.value);
  assert.equal(await temperature().inputValue(), "39.1");
});

test("on a full device nothing is called saved, and it is saved once there is room", async () => {
  const browser = await vet.context.newCDPSession(vet.page);
  const quota = (bytes) => browser.send("Storage.overrideQuotaForOrigin", { origin: clinic.address, ...bytes });
  await quota({ quotaSize: 1 });
  // The browser has given the open files room in advance; opened again they get none.
  await vet.page.reload();
  const plan = section(vet, "Plan");
  await plan.waitFor();
  const words = "Maropitant, bland diet, recheck on Wednesday. ".repeat(400).trim();
  await plan.fill(words);
  await banner(vet, "This device is full.").waitFor();
  await status(vet).filter({ hasText: "Not saving" }).waitFor();
  await saved(vet, "Not saved").waitFor();
  assert.equal(await saved(vet, /Saved here|At the clinic/).count(), 0);
  // Closing the window would lose it: the browser asks first.
  const asked = vet.page.waitForEvent("dialog");
  await vet.page.close({ runBeforeUnload: true });
  const question = await asked;
  assert.equal(question.type(), "beforeunload");
  await question.dismiss();
  assert.equal(await plan.inputValue(), words);
  await quota({});
  await vet.page.getByRole("button", { name: "Try saving again" }).click();
  await saved(vet, "At the clinic").waitFor();
  await allAtTheClinic(vet);
  assert.equal(await banner(vet, "not saved").count(), 0);
  await desk.goto(visit);
  await desk.page.getByText(words).waitFor();
});

test("two desks book one time: both bookings stay and both screens say so", async () => {
  let time;
  const books = (pet) => async (device) => {
    await find(device, pet, new RegExp(`^${pet}`, "i"));
    await device.page.getByRole("button", { name: "Book", exact: true }).last().click();
    await dialog(device).getByLabel("With").selectOption({ label: "Dr Lind" });
    await device.page.getByRole("radio", { name: /free/ }).last().click();
    const date = (await device.page.locator(".days__day[aria-checked=true]").getAttribute("id")).slice(-10);
    const slot = device.page.locator(".slot").first();
    const at = `${date} ${await slot.innerText()}`;
    assert.equal(at, (time ??= at));
    await slot.click();
    await dialog(device).getByRole("button", { name: /^Book/ }).click();
    await dialog(device).waitFor({ state: "detached" });
  };
  await apart(books("Rex"), books("Mimi"));
  const [date, clock] = time.split(" ");
  for (const device of [desk, vet]) {
    await device.goto(`/day/${date}`);
    await alert(device).or(device.page.locator(".alert")).filter({ hasText: `Two bookings at ${clock}, Dr Lind` }).waitFor();
    for (const pet of ["Rex", "Mimi"]) await card(device, pet).waitFor();
  }
});

test("two move one appointment: both times are shown until somebody chooses", async () => {
  for (const device of [desk, vet]) await device.goto("/");
  const clashing = desk.page.locator('.appt[data-status="clash"] .appt__card').first();
  const name = await clashing.locator(".appt__title").innerText();
  const id = await clashing.getAttribute("id");
  const moves = (steps) => async (device) => {
    await device.page.locator(`[id="${id}"]`).focus();
    await device.page.keyboard.press("m");
    for (let step = 0; step < steps; step++) await device.page.keyboard.press("ArrowUp");
    await device.page.keyboard.press("Enter");
    await device.page.getByText(new RegExp(`^${name} moved to`)).waitFor();
  };
  await apart(moves(2), moves(5));
  const contested = (device) => device.page.locator(".alert").filter({ hasText: `Two times for ${name}` });
  for (const device of [desk, vet]) await contested(device).waitFor();
  await contested(desk).getByRole("button", { name: "Choose" }).click();
  const times = dialog(desk).locator(".two-values__choice");
  assert.equal(await times.count(), 2);
  await times.first().click();
  for (const device of [desk, vet]) await contested(device).waitFor({ state: "detached" });
});

test("two write one microchip: both numbers stand until somebody chooses", async () => {
  const chips = ["203098100123456", "203098100654321"];
  for (const device of [desk, vet]) {
    await find(device, "rex novak", /^Rex/);
    await device.page.getByRole("heading", { name: "Rex" }).waitFor();
  }
  const writes = (chip) => async (device) => {
    await device.page.keyboard.press("e");
    await dialog(device).getByLabel("Microchip").fill(chip);
    await dialog(device).getByRole("button", { name: /^Save/ }).click();
    await dialog(device).waitFor({ state: "detached" });
  };
  await apart(writes(chips[0]), writes(chips[1]));
  const choice = (device) => device.page.getByRole("group", { name: "Microchip" });
  for (const device of [desk, vet]) {
    await choice(device).getByText("Two people wrote this at the same time").waitFor();
    const offered = await choice(device).getByRole("button").allInnerTexts();
    assert.deepEqual(offered.map((words) => words.replaceAll(/\D/g, "")).sort(), chips);
  }
  await choice(vet).getByRole("button").first().click();
  for (const device of [desk, vet]) await choice(device).waitFor({ state: "detached" });
  const heads = await Promise.all([desk, vet].map((device) => device.page.locator(".patient-head .sub").innerText()));
  assert.equal(heads[0], heads[1]);
});

test("what the clinic does not take any more stays here with its reason", async () => {
  await find(desk, "petra novak", /^Petra Novak/);
  await desk.page.getByRole("heading", { name: "Petra Novak" }).waitFor();
  await clinic.kill();
  await offline(desk);
  await desk.page.keyboard.press("e");
  await dialog(desk).getByLabel("Address").fill("Lipová 4, Brno");
  await dialog(desk).getByRole("button", { name: /^Save/ }).click();
  await status(desk).filter({ hasText: /1 saved on this/ }).waitFor();
  clinic.setRoles(DESK, "viewer");
  await clinic.revive();
  await status(desk).filter({ hasText: "Needs attention" }).waitFor();
  await desk.page.getByRole("link", { name: /^Needs attention/ }).click();
  const refused = desk.page.locator("main").filter({ hasText: "Petra Novak: details changed" });
  await refused.getByText("Your role may not change this.").waitFor();
  await desk.page.reload();
  await refused.waitFor();
  // The record itself shows what the clinic has.
  await desk.page.getByRole("link", { name: "Open Petra Novak" }).click();
  await desk.page.getByRole("heading", { name: "Petra Novak" }).waitFor();
  assert.equal(await desk.page.getByText("Lipová 4, Brno").count(), 0);
  clinic.setRoles(DESK, "front_desk");
});

test("a session that has ended stops nobody, and signing in again sends what was written", async () => {
  await vet.goto(visit);
  const assessment = section(vet, "Assessment");
  await assessment.waitFor();
  await clinic.kill();
  clinic.sql("delete from refresh_tokens");
  await clinic.revive();
  await banner(vet, "Your session has ended.").waitFor();
  await assessment.fill("Gastritis, written without a session.");
  await saved(vet, "Saved here").waitFor();
  await status(vet).filter({ hasText: /\d saved on this/ }).waitFor();
  await vet.page.getByRole("button", { name: "Sign in again" }).click();
  await vet.enter(VET);
  await dialog(vet).waitFor({ state: "detached" });
  await allAtTheClinic(vet);
  await saved(vet, "At the clinic").waitFor();
  assert.equal(await banner(vet, "Your session has ended.").count(), 0);
});

test("work that waits on a device is not thrown away by an owner who signs in there", async () => {
  const shared = await clinic.profile();
  await shared.signIn(TECHNICIAN);
  await day(shared).waitFor();
  await allAtTheClinic(shared);
  await shared.goto(visit);
  await section(shared, "History").waitFor();
  await clinic.kill();
  await offline(shared);
  await section(shared, "History").press("End");
  await section(shared, "History").pressSequentially(" Weighed twice.");
  await status(shared).filter({ hasText: /\d saved on this/ }).waitFor();
  await shared.goto("/me");
  await shared.page.getByRole("button", { name: "Sign out" }).click();
  await dialog(shared).getByRole("button", { name: "Sign out anyway" }).click();
  await clinic.revive();
  await shared.page.getByLabel("Email").waitFor();
  await shared.enter(OWNER);
  // What the clinic's people have locked opens for no owner, and so nobody is asked to throw it away.
  await alert(shared).filter({ hasText: "Work that the clinic does not have waits here." }).waitFor();
  await shared.enter(TECHNICIAN);
  await allAtTheClinic(shared);
  await reads(vet, "History", "Vomited. Then ate grass. Weighed twice.");
  await shared.close();
});

test("a new build waits until it is let in, and loses nothing", async () => {
  const next = join(clinic.folder, "next-build");
  nextBuild(WEB, next, "0123456789abcdef");
  const running = await buildOf(vet.page);
  await clinic.kill();
  clinic.env.WEB = next;
  await clinic.revive();
  // The browser looks by itself now and then; here it is asked to look now.
  await vet.page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  await banner(vet, "A new version is ready.").waitFor();
  assert.equal(await buildOf(vet.page), running);
  await section(vet, "Plan").fill("Fasting for twelve hours");
  await section(vet, "Plan").press("End");
  await section(vet, "Plan").pressSequentially(", then rice.");
  const reloaded = vet.page.waitForEvent("load");
  await vet.page.getByRole("button", { name: "Update now" }).click();
  await reloaded;
  await reads(vet, "Plan", "Fasting for twelve hours, then rice.");
  assert.equal(await buildOf(vet.page), "0123456789abcdef");
  await allAtTheClinic(vet);
});

test("nothing on any page broke the rules", () => {
  assert.deepEqual([...desk.troubles, ...vet.troubles], []);
});
