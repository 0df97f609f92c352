// What the clinic does not take, what can be done about it, and one device that several people share.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Clinic, DESK, TECHNICIAN, VET } from "./support/clinic.mjs";
import { freshDatabase, stopCluster } from "./support/postgres.mjs";
import { allAtTheClinic, day, find, offline, section, startRex, status } from "./support/screens.mjs";

let clinic, tablet, other, client, visit;

before(async () => {
  clinic = await Clinic.start({ patients: 40, databaseUrl: await freshDatabase() });
  [tablet, other] = await Promise.all([clinic.profile(), clinic.profile()]);
  await tablet.signIn(DESK);
  await day(tablet).waitFor();
  await allAtTheClinic(tablet);
  await find(tablet, "petra novak", /^Petra Novak/);
  await tablet.page.getByRole("heading", { name: "Petra Novak" }).waitFor();
  client = new URL(tablet.page.url()).pathname;
  await other.signIn(VET);
  await day(other).waitFor();
  visit = await startRex(other);
  await allAtTheClinic(other);
});

after(async () => {
  await clinic?.stop();
  await stopCluster();
});

const dialog = (device) => device.page.getByRole("dialog");
const matter = (device) => device.page.locator(".refused").filter({ hasText: "Petra Novak: details changed" });
const toast = (device, words) => device.page.locator(".toast").filter({ hasText: words });
const button = (within, name) => within.getByRole("button", { name, exact: true });

async function writesAddress(device, address) {
  await device.goto(client);
  await device.page.getByRole("heading", { name: "Petra Novak" }).waitFor();
  await device.page.keyboard.press("e");
  await dialog(device).getByLabel("Address").fill(address);
  await button(dialog(device), "Save").click();
  await dialog(device).waitFor({ state: "detached" });
}

/** The desk writes an address without the clinic, and may not any more when it comes back. */
async function refusedAddress(address) {
  await clinic.kill();
  await offline(tablet);
  await writesAddress(tablet, address);
  clinic.setRoles(DESK, "viewer");
  await clinic.revive();
  await status(tablet).filter({ hasText: "Needs attention" }).waitFor();
  await tablet.page.getByRole("link", { name: /^Needs attention/ }).click();
  await matter(tablet).getByText(address).waitFor();
}

/** The role is given back, and the device hears of it. */
async function mayAgain() {
  await clinic.kill();
  await offline(tablet);
  clinic.setRoles(DESK, "front_desk");
  await clinic.revive();
  await status(tablet).filter({ hasText: "Needs attention" }).waitFor();
}

async function hasAddress(device, address) {
  await device.goto(client);
  await device.page.getByText(address).waitFor();
}

async function more(device, item) {
  await matter(device).getByRole("button", { name: /^More about/ }).click();
  await device.page.getByRole("menuitem", { name: item }).click();
}

test("what was refused says what it was, and is done again once one may", async () => {
  await refusedAddress("Lipová 4, Brno");
  await matter(tablet).getByText("Your role may not change this.").waitFor();
  await button(matter(tablet), "Try again").click();
  await matter(tablet).getByRole("alert").filter({ hasText: "Your role may not change this." }).waitFor();
  await mayAgain();
  await button(matter(tablet), "Try again").click();
  await toast(tablet, "On its way to the clinic").waitFor();
  await tablet.page.getByText("Nothing needs you").waitFor();
  await allAtTheClinic(tablet);
  await hasAddress(other, "Lipová 4, Brno");
});

test("it can be written otherwise, from what was typed", async () => {
  await refusedAddress("Lipová 40, Brno");
  await mayAgain();
  await button(matter(tablet), "Change…").click();
  const address = dialog(tablet).getByLabel("Address");
  assert.equal(await address.inputValue(), "Lipová 40, Brno");
  await address.fill("Lipová 41, Brno");
  await button(dialog(tablet), "Change and try again").click();
  await dialog(tablet).waitFor({ state: "detached" });
  await allAtTheClinic(tablet);
  await hasAddress(other, "Lipová 41, Brno");
});

test("it can be let go with a reason, which stays, and taken back", async () => {
  await refusedAddress("Zelná 1, Brno");
  await more(tablet, "Discard…");
  await button(dialog(tablet), "Discard").click();
  await dialog(tablet).getByText("Why is missing").waitFor();
  await dialog(tablet).getByLabel("Why is it not needed?").fill("She moved again");
  await button(dialog(tablet), "Discard").click();
  await button(toast(tablet, "Discarded"), "Undo").click();
  await matter(tablet).waitFor();
  await more(tablet, "Discard…");
  await dialog(tablet).getByLabel("Why is it not needed?").fill("She moved again");
  await button(dialog(tablet), "Discard").click();
  await matter(tablet).waitFor({ state: "detached" });
  await tablet.page.reload();
  await tablet.page.getByText(/^discarded .* by Jana Dvorak: She moved again$/).waitFor();
  await allAtTheClinic(tablet);
  await button(tablet.page, "Put back").click();
  await matter(tablet).waitFor();
  await status(tablet).filter({ hasText: "Needs attention" }).waitFor();
});

test("it can be copied, whole and readable", async () => {
  await tablet.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await more(tablet, "Copy");
  await toast(tablet, "Copied").waitFor();
  const lines = (await tablet.page.evaluate(() => navigator.clipboard.readText())).split("\n");
  assert.equal(lines[0], "Petra Novak: details changed");
  assert.match(lines[1], /^written .*\d\d:\d\d by Jana Dvorak$/);
  assert.deepEqual(lines.slice(2), [
    "Address: Zelná 1, Brno",
    "The clinic did not take it: Your role may not change this. Ask somebody who may.",
  ]);
});

test("a colleague who signs in there does it as their own", async () => {
  await tablet.goto("/me");
  await button(tablet.page, "Sign out").click();
  await tablet.page.getByLabel("Email").waitFor();
  await tablet.enter(VET);
  await allAtTheClinic(tablet);
  await tablet.goto("/needs-attention");
  await matter(tablet).getByText(/ by Jana Dvorak$/).waitFor();
  await button(matter(tablet), "Do it as my own").click();
  await tablet.page.getByText("Nothing needs you").waitFor();
  await allAtTheClinic(tablet);
  await hasAddress(other, "Zelná 1, Brno");
});

test("what somebody could not send is sent when a colleague signs in, as theirs", async () => {
  await tablet.goto("/me");
  await button(tablet.page, "Sign out").click();
  await tablet.enter(TECHNICIAN);
  await allAtTheClinic(tablet);
  await tablet.goto(visit);
  await section(tablet, "History").waitFor();
  await clinic.kill();
  await offline(tablet);
  await section(tablet, "History").fill("Weighed twice.");
  await status(tablet).filter({ hasText: /\d saved on this/ }).waitFor();
  // Without the clinic the page says how old it is.
  await tablet.goto(client);
  await tablet.page.getByText(/^As of .*, from the clinic$/).waitFor();
  await tablet.goto("/me");
  await button(tablet.page, "Sign out").click();
  await dialog(tablet).getByText(/sent when you or a colleague signs in here\./).waitFor();
  await button(dialog(tablet), "Sign out anyway").click();
  clinic.setRoles(DESK, "front_desk");
  await clinic.revive();
  await tablet.page.getByLabel("Email").waitFor();
  await tablet.enter(DESK);
  await allAtTheClinic(tablet);
  await other.goto(visit);
  await section(other, "History").waitFor();
  await other.page.waitForFunction(
    () => document.querySelector('textarea[aria-label="History"]')?.value === "Weighed twice.",
  );
  await status(tablet).click();
  await dialog(tablet).getByText(/Tomas Kral/).waitFor({ state: "detached" });
  await tablet.page.keyboard.press("Escape");
  await writesAddress(tablet, "Dlouhá 6, Brno");
  await allAtTheClinic(tablet);
  await hasAddress(other, "Dlouhá 6, Brno");
});

test("nothing on any page broke the rules", () => {
  assert.deepEqual([...tablet.troubles, ...other.troubles], []);
});
