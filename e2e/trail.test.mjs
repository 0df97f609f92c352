// An administrator reads who did what, looks for some of it, and takes it along; nobody else does.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Audit } from "./support/axe.mjs";
import { ADMINISTRATOR, Clinic, DESK, PHONE, VET } from "./support/clinic.mjs";
import { allAtTheClinic, day, find, offline, saved, section, startRex, status } from "./support/screens.mjs";

let clinic, vet, administrator;

before(async () => {
  clinic = await Clinic.start({ patients: 40 });
  [vet, administrator] = await Promise.all([clinic.profile(), clinic.profile()]);
  await vet.signIn(VET);
  await day(vet).waitFor();
  await startRex(vet);
  await section(vet, "History").fill("Ate a sock on Sunday.");
  await allAtTheClinic(vet);
  await administrator.signIn(ADMINISTRATOR);
  await day(administrator).waitFor();
  await allAtTheClinic(administrator);
});

after(async () => await clinic?.stop());

const lines = (device) => device.page.locator(".trail__line");
const line = (device, words) => lines(device).filter({ hasText: words });
const choose = (device, label, option) => device.page.getByLabel(label, { exact: true }).selectOption(option);
const chosen = (device, words) => device.page.getByRole("button", { name: `Show all again: ${words}` });
const heading = (device, name) => device.page.getByRole("heading", { name, exact: true });
const address = (device) => new URL(device.page.url());

/** Keeps a picture of the page where SHOTS says so. */
async function picture(device, name) {
  if (!process.env.SHOTS) return;
  mkdirSync(process.env.SHOTS, { recursive: true });
  for (const colorScheme of ["light", "dark"]) {
    await device.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const file = `${name}-${device.touch ? "phone" : "desktop"}-${colorScheme}.png`;
    await device.page.screenshot({ path: join(process.env.SHOTS, file) });
  }
  await device.page.emulateMedia({ colorScheme: device.theme });
}

/** Answers what asks for the trail, in place of the clinic, until it is called. */
async function instead(device, answer, path = "/api/v1/audit") {
  const asks = (url) => url.pathname === path;
  await device.context.route(asks, answer);
  return () => device.context.unroute(asks, answer);
}

/** The place of whoever goes on with the keys. */
const focused = (device) => device.page.evaluate(() => document.activeElement.id);

/** Whoever is back at the clinic asks again what is on the screen, which else is done each minute. */
async function askAnew(device) {
  await clinic.kill();
  await offline(device);
  await clinic.revive();
  await allAtTheClinic(device);
}

/** Until every line that is shown says this. */
const onlyLines = (device, words) =>
  device.page.waitForFunction((words) => {
    const lines = [...document.querySelectorAll(".trail__line")];
    return lines.length > 0 && lines.every((line) => line.textContent.includes(words));
  }, words);

test("what a vet does is told in a sentence, with the device, the latest first", async () => {
  await administrator.page.getByRole("link", { name: "Who did what" }).click();
  await heading(administrator, "Who did what").waitFor();
  const notes = line(administrator, "Dr Ana Moreno wrote in the visit notes of Rex").first();
  await notes.waitFor();
  await notes.getByText(/^on Chrom/).waitFor();
  await line(administrator, "Dr Ana Moreno started the visit of Rex").first().waitFor();
  await line(administrator, "Eva Northgate signed in").first().getByText("with the password").waitFor();
  await administrator.page.getByRole("heading", { name: /^Today, / }).waitFor();
  const times = await lines(administrator).locator("time").evaluateAll((all) => all.map((time) => time.dateTime));
  assert.deepEqual(times.slice(0, 20), times.slice(0, 20).sort().reverse());
});

test("what is looked for is in sight and in the address, and can be taken away", async () => {
  await choose(administrator, "Who", { label: "Dr Ana Moreno" });
  await chosen(administrator, "Dr Ana Moreno").waitFor();
  await onlyLines(administrator, "Ana Moreno");
  await choose(administrator, "What", { label: "Notes written" });
  await onlyLines(administrator, "Dr Ana Moreno wrote in the visit notes of");
  await choose(administrator, "When", { label: "Today" });
  await line(administrator, "notes of Rex").first().waitFor();
  assert.equal(address(administrator).searchParams.get("what"), "write_in_section");
  assert.equal(address(administrator).searchParams.get("when"), "today");
  await administrator.page.reload();
  await onlyLines(administrator, "Dr Ana Moreno wrote in the visit notes of");
  await chosen(administrator, "Notes written").click();
  await line(administrator, "Dr Ana Moreno signed in").first().waitFor();
  assert.equal(address(administrator).searchParams.get("what"), null);
  await administrator.page.goBack();
  await chosen(administrator, "Notes written").waitFor();
  await administrator.page.getByRole("button", { name: "Show everything", exact: true }).click();
  await line(administrator, "Eva Northgate signed in").first().waitFor();
  assert.equal(address(administrator).search, "");
});

test("a sign-in that was refused is there, and where it was tried", async () => {
  const stranger = await clinic.profile();
  await stranger.signIn(VET, "not the password");
  await stranger.page.getByRole("alert").first().waitFor();
  await stranger.close();
  await choose(administrator, "What", { label: "All: Sign-ins" });
  const refused = line(administrator, "A sign-in as Dr Ana Moreno was refused").first();
  await administrator.page.reload();
  await refused.getByText("on a device that nobody has signed in on").waitFor();
});

test("more is loaded on demand, down to the beginning", async () => {
  await administrator.goto("/trail?what=appointments");
  await lines(administrator).first().waitFor();
  const earlier = administrator.page.getByRole("button", { name: "Show earlier" });
  const before = await lines(administrator).count();
  await earlier.click();
  await administrator.page.waitForFunction((before) => document.querySelectorAll(".trail__line").length > before, before);
  await administrator.page.getByText(/^\d+ more lines?$/).waitFor({ state: "attached" });
  for (let pages = 0; (await earlier.count()) > 0; pages++) {
    assert.ok(pages < 200, "it ends");
    const count = await lines(administrator).count();
    await earlier.click();
    await administrator.page.waitForFunction(
      (count) => document.querySelectorAll(".trail__line").length > count || document.body.textContent.includes("nothing earlier is kept"),
      count,
    );
  }
  await administrator.page.getByText("That is all").waitFor();
  assert.equal(await focused(administrator), "trail-beginning");
  const ids = await administrator.page.evaluate(() => new Set([...document.querySelectorAll(".trail__date")].map((day) => day.id)).size);
  assert.equal(ids, await administrator.page.locator(".trail__date").count(), "each day once");
});

test("all that fits is saved as a table", async () => {
  await administrator.goto("/trail?what=record_weight");
  await lines(administrator).first().waitFor();
  const saved = administrator.page.waitForEvent("download");
  await administrator.page.keyboard.press("x");
  const file = await saved;
  assert.match(file.suggestedFilename(), /^who-did-what-\d{4}-\d\d-\d\d\.csv$/);
  const table = await readFile(await file.path(), "utf8");
  // Spreadsheets know by it that there may be letters of any language.
  assert.equal(table.codePointAt(0), 0xfeff);
  const [head, ...rows] = table.trim().split("\r\n");
  assert.ok(head.startsWith('"Time","Until","UTC offset","Changes","Person","What happened","Record"'), head);
  assert.ok(rows.length > 0 && rows.every((row) => row.includes('"record_weight"')), table.slice(0, 500));
  assert.match(rows.join("\n"), /recorded the weight of [A-Z]/);
  assert.ok(rows.every((row) => !row.includes("the weight of a patient")), "each with its name");
  await administrator.page.locator(".toast").filter({ hasText: /lines? (is|are) saved in your downloads/ }).waitFor();
});

test("a device is called after everybody who works on it, and looking for it finds all of them", async () => {
  const stop = await instead(administrator, async (route) => {
    const answer = await route.fetch();
    const page = await answer.json();
    const device = { device: "00000000-0000-0000-0000-00000000001d", device_name: "Exam room tablet" };
    const people = ["Tomas Kral", "Ana Moreno"];
    page.entries.slice(0, 2).forEach((entry, at) => Object.assign(entry, device, { person_name: people[at] }));
    await route.fulfill({ response: answer, json: page });
  });
  await administrator.goto("/trail");
  await lines(administrator).first().waitFor();
  await choose(administrator, "Device", { label: "Exam room tablet · Ana Moreno, Tomas Kral" });
  await chosen(administrator, "Exam room tablet").waitFor();
  const said = await administrator.page.locator("#trail-device").evaluate((list) => list.selectedOptions[0].textContent);
  assert.equal(said, "Exam room tablet", "it is nobody’s alone");
  await stop();
});

test("two animals of one name are told apart by whose they are", async () => {
  await administrator.goto("/trail?what=record_weight");
  await lines(administrator).first().waitFor();
  const earlier = administrator.page.getByRole("button", { name: "Show earlier" });
  /** The owners that are named beside each name. */
  const owners = async () => {
    const named = new Map();
    for (const words of await administrator.page.locator(".trail__what").allInnerTexts()) {
      const [, name, owner] = /weight of (.+) \((.+)\)$/.exec(words) ?? [];
      if (name) named.set(name, (named.get(name) ?? new Set()).add(owner));
    }
    return named;
  };
  while ((await earlier.count()) > 0) {
    const count = await lines(administrator).count();
    await earlier.click();
    await administrator.page.waitForFunction(
      (count) => document.querySelectorAll(".trail__line").length > count || document.body.textContent.includes("nothing earlier is kept"),
      count,
    );
  }
  const named = await owners();
  assert.ok(named.size > 0, "names are given more than once");
  for (const [name, all] of named) assert.ok(all.size > 1, `${name} of ${[...all]}`);
  const words = await administrator.page.locator(".trail__what").allInnerTexts();
  for (const name of named.keys()) assert.ok(!words.some((line) => line.endsWith(` of ${name}`)), `${name} of nobody`);
  await picture(administrator, "two-of-one-name");
});

test("a record’s page leads to its own part, and a line leads back to the record", async () => {
  await find(administrator, "rex", /^Rex/);
  await heading(administrator, "Rex").waitFor();
  const record = address(administrator).pathname;
  await administrator.page.getByRole("link", { name: "Who did what here" }).click();
  await chosen(administrator, "Only Rex").waitFor();
  await onlyLines(administrator, "Rex");
  await lines(administrator).first().getByRole("link", { name: "Rex" }).click();
  await heading(administrator, "Rex").waitFor();
  assert.equal(address(administrator).pathname, record);
});

test("from one line to all that are like it, with the keys alone", async () => {
  await administrator.goto("/trail");
  const more = line(administrator, "Dr Ana Moreno signed in").first().getByRole("button", { name: /^More about/ });
  await more.focus();
  await administrator.page.keyboard.press("Enter");
  await administrator.page.getByRole("menuitem", { name: /^Only this device: / }).waitFor();
  await administrator.page.keyboard.press("Enter");
  await chosen(administrator, "Dr Ana Moreno").waitFor();
  await onlyLines(administrator, "Ana Moreno");
});

test("a line shows what stood before and after, also of what was typed piece by piece", async () => {
  await administrator.goto("/trail?what=write_in_section");
  const notes = line(administrator, "Dr Ana Moreno wrote in the visit notes of Rex").first();
  const look = notes.getByRole("button", { name: /^What changed: Dr Ana Moreno wrote/ });
  await look.focus();
  await administrator.page.keyboard.press("Enter");
  const told = notes.locator(".changed__fields div").filter({ hasText: "History" });
  await told.locator("ins").filter({ hasText: "Ate a sock on Sunday." }).waitFor();
  assert.match(await told.textContent(), /Before:\s*nothing/);
  assert.equal(await look.getAttribute("aria-expanded"), "true");
  await picture(administrator, "before-and-after");
  // While it is open the vet goes on, offline, so that it is seen when it has arrived; what that did is asked for in vain.
  const stop = await instead(administrator, (route) => route.abort(), "/api/v1/audit/changes");
  const inVain = administrator.page.waitForEvent("requestfailed", (request) => request.url().includes("/audit/changes"));
  await clinic.kill();
  await offline(vet);
  await section(vet, "History").fill("Ate a sock on Sunday. And another one.");
  await saved(vet, "Saved here").waitFor();
  await clinic.revive();
  await allAtTheClinic(vet);
  await askAnew(administrator);
  await inVain;
  await told.locator("ins").filter({ hasText: "Ate a sock on Sunday." }).waitFor();
  await stop();
  await askAnew(administrator);
  await told.locator("ins").filter({ hasText: "And another one." }).waitFor();
  assert.equal(await look.getAttribute("aria-expanded"), "true");
  await look.click();
  await told.waitFor({ state: "detached" });

  await administrator.goto("/trail?what=record_weight");
  const weight = lines(administrator).first();
  await weight.getByRole("button", { name: /^What changed/ }).click();
  await weight.locator("ins").filter({ hasText: /^\d+(\.\d+)? kg$/ }).first().waitFor();
  // Each weight with its own time, however many there were in a row.
  const entries = await weight
    .locator(".changed__fields")
    .evaluateAll((all) => all.map((one) => [...one.querySelectorAll("dt")].map((label) => label.textContent).sort()));
  assert.ok(entries.length > 0);
  for (const entry of entries) assert.deepEqual(entry, ["Time", "Weight"]);
  await picture(administrator, "weights");
  // That somebody looked is a line too.
  await administrator.goto("/trail?what=change_read");
  await line(administrator, "Eva Northgate looked at what was changed in Rex").first().waitFor();
});

test("days are tried out without a trace, and the wrong way round is said", async () => {
  await administrator.goto("/trail");
  await lines(administrator).first().waitFor();
  const field = (name) => administrator.page.getByLabel(name, { exact: true });
  await choose(administrator, "When", { label: "From – to…" });
  // As a browser has it while a year is typed: what is no whole year yet asks for nothing.
  for (const year of ["0002", "0020", "0202"]) await field("From").fill(`${year}-11-15`);
  assert.equal(address(administrator).searchParams.get("from"), null);
  await field("From").fill("2026-11-15");
  await administrator.page.waitForFunction(() => new URL(location).searchParams.get("from") === "2026-11-15");
  await field("To").fill("2026-11-10");
  await heading(administrator, "The first day is after the last").waitFor();
  await picture(administrator, "backwards");
  await administrator.page.getByRole("link", { name: /^Look from / }).click();
  await administrator.page.waitForFunction(() => new URL(location).searchParams.get("from") === "2026-11-10");
  assert.equal(address(administrator).searchParams.get("to"), "2026-11-15");
  await administrator.page.goBack();
  await heading(administrator, "The first day is after the last").waitFor();
  await administrator.page.goBack();
  await lines(administrator).first().waitFor();
  assert.equal(address(administrator).search, "", "back to before the days");
});

test("on paper it says whose it is, and that there are earlier lines", async () => {
  await administrator.goto("/trail?what=appointments");
  await lines(administrator).first().waitFor();
  await administrator.page.getByRole("button", { name: "Show earlier" }).waitFor();
  const earlier = administrator.page.getByText("There are earlier lines than those printed here.");
  assert.equal(await earlier.isVisible(), false);
  await administrator.page.emulateMedia({ media: "print" });
  assert.equal(await earlier.isVisible(), true);
  assert.equal(await administrator.page.getByText(/printed .* by Eva Northgate/).isVisible(), true);
  assert.equal(await administrator.page.getByText(/^As of /).count(), 0, "it is what the clinic says now");
  await administrator.page.emulateMedia({ media: "screen" });
});

test("a clinic with a later build is read as far as there are words", async () => {
  const stop = await instead(administrator, async (route) => {
    const answer = await route.fetch();
    const page = await answer.json();
    const [first, second] = page.entries;
    Object.assign(first, { verb: "shift_swapped", is_happening: true, detail: { shift: { from: 5 } }, kind: null, document: null });
    Object.assign(second, { verb: "prescribe_again", is_happening: false, detail: null, kind: "Prescription", document: null });
    await route.fulfill({ response: answer, json: page });
  });
  await administrator.goto("/trail?what=visits");
  await line(administrator, "did something that this version has no words for").first().waitFor();
  await line(administrator, "changed a record").first().waitFor();
  await stop();
});

test("an answer that cannot be read is said, and what was loaded stays", async () => {
  await administrator.goto("/trail?what=record_weight");
  await lines(administrator).first().waitFor();
  const before = await lines(administrator).count();
  const stop = await instead(administrator, (route) => route.fulfill({ json: { lines: [] } }));
  const odd = administrator.page.getByText("The clinic answered in a way this version does not understand");
  await administrator.page.getByRole("link", { name: /^Day/ }).first().click();
  await day(administrator).waitFor();
  await administrator.page.goBack();
  await odd.waitFor();
  assert.equal(await lines(administrator).count(), before);
  await administrator.page.getByText("What is shown here is as of").waitFor();
  await picture(administrator, "odd-answer-kept");
  // Nothing of this is here: no line, and nothing that looks as if it were coming.
  await administrator.goto("/trail?what=edit_client");
  await odd.waitFor();
  assert.equal(await administrator.page.locator(".trail__waits").count(), 0);
  await picture(administrator, "odd-answer");
  await stop();
  await administrator.page.getByRole("button", { name: "Try again" }).click();
  await odd.waitFor({ state: "detached" });
});

test("what finds nothing says so, and leads back", async () => {
  await administrator.goto("/trail?when=days&from=2001-01-01&to=2001-01-02");
  await heading(administrator, "Nothing happened in this period").waitFor();
  await administrator.goto("/trail?what=second_factor_refused");
  await heading(administrator, "Nothing fits what you look for").waitFor();
  await picture(administrator, "empty");
  await administrator.page.getByRole("link", { name: "Show everything" }).click();
  await lines(administrator).first().waitFor();
});

test("no rule of accessibility is broken, on a desktop and on a phone", async () => {
  const audit = new Audit();
  await administrator.goto("/trail?what=visits&when=week");
  await lines(administrator).first().waitFor();
  await audit.of(administrator.page, "trail");
  await picture(administrator, "full");
  const phone = await clinic.profile({ ...PHONE, theme: "dark" });
  await phone.signIn(ADMINISTRATOR);
  await phone.page.getByRole("link", { name: "Me" }).click();
  const setting = phone.page.locator(".setting").filter({ hasText: "Who did what" });
  await setting.getByRole("link", { name: "Open" }).click();
  await lines(phone).first().waitFor();
  await audit.of(phone.page, "trail, phone");
  await picture(phone, "full");
  await choose(phone, "When", { label: "From – to…" });
  await phone.page.getByLabel("From", { exact: true }).waitFor();
  await audit.of(phone.page, "trail, phone, days");
  await picture(phone, "days");
  assert.deepEqual(audit.lines(), []);
  // What is looked for is one row, so that the first lines are in sight.
  const row = await phone.page.locator(".trail__shown").boundingBox();
  const tops = await phone.page.locator(".trail__shown > *").evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().top)));
  assert.ok(row.height < 60 && Math.max(...tops) - Math.min(...tops) < 12, `${row.height} px high, at ${tops}`);
  const overflow = await phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);
  assert.deepEqual(phone.troubles, []);
  await phone.close();
});

test("without the clinic what was loaded stays, says that it is old, and goes on when it can", async () => {
  await administrator.goto("/trail");
  await lines(administrator).first().waitFor();
  const before = await lines(administrator).count();
  await clinic.kill();
  await offline(administrator);
  await administrator.page.getByRole("button", { name: "Show earlier" }).click();
  await administrator.page.locator(".trail__more [role=alert]").waitFor();
  await administrator.page.keyboard.press("x");
  await administrator.page.locator(".trail__export").getByText("The export has stopped. Nothing is saved yet.").waitFor();
  await administrator.page.locator(".toast").getByText("The export has stopped. Nothing is saved yet.").waitFor();
  assert.equal(await lines(administrator).count(), before);
  await administrator.page.locator(".alert").filter({ hasText: "The clinic cannot be reached" }).first().waitFor();
  await picture(administrator, "offline");
  await administrator.page.emulateMedia({ media: "print" });
  await administrator.page.getByText(/^As of Today, \d\d:\d\d: the clinic could not be asked for anything newer\.$/).waitFor();
  await administrator.page.emulateMedia({ media: "screen" });
  await choose(administrator, "What", { label: "All: Appointments" });
  await administrator.page.getByText("The clinic cannot be reached").first().waitFor();
  await clinic.revive();
  await status(administrator).filter({ hasText: "At the clinic" }).waitFor();
  await lines(administrator).first().waitFor();
});

test("the desk has no such page", async () => {
  const desk = await clinic.profile();
  await desk.signIn(DESK);
  await day(desk).waitFor();
  assert.equal(await desk.page.getByRole("link", { name: "Who did what" }).count(), 0);
  await desk.goto("/trail");
  await desk.page.getByText("The clinic’s administrator sees who did what.").waitFor();
  await find(desk, "rex", /^Rex/);
  await heading(desk, "Rex").waitFor();
  assert.equal(await desk.page.getByRole("link", { name: "Who did what here" }).count(), 0);
  assert.deepEqual(desk.troubles, []);
});

test("nothing on any page broke the rules", () => {
  assert.deepEqual([...vet.troubles, ...administrator.troubles], []);
});
