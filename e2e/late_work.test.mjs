// What somebody had not sent when they left the clinic: it comes to the administrator, and then the records go.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Audit } from "./support/axe.mjs";
import { ADMINISTRATOR, Clinic, DESK, PHONE, VET } from "./support/clinic.mjs";
import { allAtTheClinic, day, find, offline, section, startRex, status } from "./support/screens.mjs";

let clinic, vet, administrator, phone, desk, client, visit;

before(async () => {
  clinic = await Clinic.start({ patients: 40 });
  [vet, administrator] = await Promise.all([clinic.profile(), clinic.profile()]);
  await administrator.signIn(ADMINISTRATOR);
  await vet.signIn(VET);
  for (const device of [administrator, vet]) await day(device).waitFor();
  visit = await startRex(vet);
  await allAtTheClinic(vet);
  await find(vet, "petra novak", /^Petra Novak/);
  await heading(vet, "Petra Novak").waitFor();
  client = new URL(vet.page.url()).pathname;
  await allAtTheClinic(vet);
});

after(async () => await clinic?.stop());

const dialog = (device) => device.page.getByRole("dialog");
const heading = (device, name) => device.page.getByRole("heading", { name });
const button = (within, name) => within.getByRole("button", { name, exact: true });
const piece = (device, words) => device.page.locator(".refused").filter({ hasText: words });
const toast = (device, words) => device.page.locator(".toast").filter({ hasText: words });
const handedIn = (device) => device.page.getByRole("link", { name: /^Handed in/ });

async function writesAddress(device, address) {
  await device.goto(client);
  await heading(device, "Petra Novak").waitFor();
  await device.page.keyboard.press("e");
  await dialog(device).getByLabel("Address").fill(address);
  await button(dialog(device), "Save").click();
  await dialog(device).waitFor({ state: "detached" });
}

async function endMembership(name) {
  await administrator.goto("/staff");
  await administrator.page.getByRole("link", { name }).click();
  await heading(administrator, name).waitFor();
  await button(administrator.page, "End the membership").click();
  await dialog(administrator).getByText(/comes to Handed in, where you take it over or discard it/).waitFor();
  await button(dialog(administrator), "End the membership").click();
  await heading(administrator, "Staff and roles").waitFor();
}

test("a vet writes without the clinic, and does not belong to it any more when the device comes back", async () => {
  await clinic.kill();
  await offline(vet);
  await writesAddress(vet, "Lipová 4, Brno");
  await vet.goto(visit);
  await section(vet, "History").fill("Ate a sock on Sunday.");
  await status(vet).filter({ hasText: /[2-9] saved on this/ }).waitFor();
  await vet.close();
  await clinic.revive();
  await allAtTheClinic(administrator);
  await administrator.goto("/handed-in");
  await administrator.page.getByText("Nothing was handed in").waitFor();
  await endMembership(/Ana Moreno/);
});

test("the device hands in what was not sent, says so, and has no record any more", async () => {
  await vet.open();
  await vet.goto("/");
  await vet.unlock();
  await vet.page.getByText(/Ana Moreno no longer belongs to Northgate Vets/).waitFor();
  const said = /2 entries that were not sent yet were handed to the clinic’s administrator at \d\d:\d\d\. The clinic’s records are gone from this device\./;
  await vet.page.getByText(said).waitFor();
  assert.equal(await vet.page.getByText(/Rex|Novak/).count(), 0);
  await vet.page.reload();
  await vet.page.getByText(said).waitFor();
  await vet.enter(VET);
  await vet.page.getByText("This account belongs to no clinic").waitFor();
});

test("the administrator sees whose it is, when it was written and what it would do", async () => {
  await administrator.goto("/");
  await handedIn(administrator).filter({ hasText: /[2-9]/ }).waitFor();
  await handedIn(administrator).click();
  const address = piece(administrator, "Petra Novak: details changed");
  await address.getByText("Lipová 4, Brno").waitFor();
  await address.getByText(/^written \d\d:\d\d by Dr Ana Moreno$/).waitFor();
  await piece(administrator, "Rex: notes").getByText("Ate a sock on Sunday.").waitFor();
  const audit = new Audit();
  await audit.of(administrator.page, "handed in");
  phone = await clinic.profile({ ...PHONE, theme: "dark" });
  await phone.signIn(ADMINISTRATOR);
  await day(phone).or(phone.page.getByRole("navigation").first()).first().waitFor();
  await phone.goto("/handed-in");
  await piece(phone, "Rex: notes").getByText("Ate a sock on Sunday.").waitFor();
  await audit.of(phone.page, "handed in, phone");
  assert.deepEqual(audit.lines(), []);
  assert.deepEqual(phone.troubles, []);
});

test("what the administrator may do is taken over as their own work, and the rest holds it up no more", async () => {
  const address = piece(administrator, "Petra Novak: details changed");
  await button(administrator.page, "Take over all").click();
  await toast(administrator, "Not all of it could be taken over").waitFor();
  await address.waitFor({ state: "detached" });
  await piece(administrator, "Rex: notes").waitFor();
  await allAtTheClinic(administrator);
  desk = await clinic.profile();
  await desk.signIn(DESK);
  await day(desk).waitFor();
  await allAtTheClinic(desk);
  await desk.goto(client);
  await desk.page.getByText("Lipová 4, Brno").waitFor();
  // The server knows, and tells every other administrator.
  await phone.reload();
  await piece(phone, "Rex: notes").getByText("Ate a sock on Sunday.").waitFor();
  assert.equal(await piece(phone, "Petra Novak: details changed").count(), 0);
});

test("what the administrator may not do is said so, and is discarded with a reason", async () => {
  const notes = piece(administrator, "Rex: notes");
  await button(notes, "Take over").click();
  await notes.getByRole("alert").getByText("Your role may not write this").waitFor();
  await notes.getByRole("button", { name: /^More about/ }).click();
  await administrator.page.getByRole("menuitem", { name: "Discard…" }).click();
  await button(dialog(administrator), "Discard").click();
  await dialog(administrator).locator(".field__error").waitFor();
  await dialog(administrator).getByLabel("Why is it not needed?").fill("Dr Okafor wrote it anew");
  await button(dialog(administrator), "Discard").click();
  await dialog(administrator).waitFor({ state: "detached" });
  await administrator.page.getByText("Nothing was handed in").waitFor();
  await administrator.page.reload();
  await administrator.page.getByText("Nothing was handed in").waitFor();
  assert.equal(await handedIn(administrator).filter({ hasText: /\d/ }).count(), 0);
});

test("a member whose role was narrowed hands in what they may not do any more", async () => {
  await clinic.kill();
  await offline(desk);
  await writesAddress(desk, "Zelná 1, Brno");
  await status(desk).filter({ hasText: /1 saved on this/ }).waitFor();
  await desk.close();
  await clinic.revive();
  await allAtTheClinic(administrator);
  await administrator.goto("/staff");
  await administrator.page.getByRole("link", { name: /Jana Dvorak/ }).click();
  await heading(administrator, "Jana Dvorak").waitFor();
  await button(administrator.page, "Change the roles").click();
  await dialog(administrator).getByLabel(/^Front desk/).uncheck();
  await dialog(administrator).getByLabel(/^Viewer/).check();
  await button(dialog(administrator), "Save").click();
  await dialog(administrator).waitFor({ state: "detached" });

  await desk.open();
  await desk.goto("/needs-attention");
  await desk.unlock();
  const refused = piece(desk, "Petra Novak: details changed");
  await refused.getByRole("button", { name: /^More about/ }).click();
  await desk.page.getByRole("menuitem", { name: "Hand over…" }).click();
  await button(dialog(desk), "Hand it to the administrator").click();
  await refused.waitFor({ state: "detached" });
  await heading(desk, "With the clinic’s administrator").waitFor();
  await desk.page.getByText(/^handed in \d\d:\d\d$/).waitFor();
  await desk.page.reload();
  await desk.page.getByText(/^handed in \d\d:\d\d$/).waitFor();

  await administrator.goto("/handed-in");
  const address = piece(administrator, "Petra Novak: details changed");
  await address.getByText("Zelná 1, Brno").waitFor();
  await address.getByText(/^written \d\d:\d\d by Jana Dvorak$/).waitFor();
  await button(address, "Take over").click();
  await administrator.page.getByText("Nothing was handed in").waitFor();
  await allAtTheClinic(administrator);
  await desk.goto(client);
  await desk.page.getByText("Zelná 1, Brno").waitFor();
});

test("without the clinic’s server the page says that it needs it", async () => {
  await clinic.kill();
  await offline(administrator);
  await administrator.goto("/handed-in");
  await administrator.page.getByText("The clinic cannot be reached").waitFor();
  await clinic.revive();
  await administrator.page.getByText("Nothing was handed in").waitFor();
});

test("nothing on any page broke the rules", () => {
  assert.deepEqual([...vet.troubles, ...administrator.troubles, ...desk.troubles], []);
});
