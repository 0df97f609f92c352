// Who works at a clinic, and how they come in: from the invitation to the first patient, and what follows from there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMINISTRATOR, Clinic, DESK, PASSWORD, PHONE, SYSTEM, TECHNICIAN, VET } from "./support/clinic.mjs";
import { Mailbox } from "./support/mails.mjs";
import { allAtTheClinic, banner, day, find, status } from "./support/screens.mjs";

let clinic, administrator, karin;

before(async () => {
  clinic = await Clinic.start({ patients: 40 });
  administrator = await clinic.profile();
  await administrator.signIn(ADMINISTRATOR);
  await day(administrator).waitFor();
});

after(async () => await clinic?.stop());

const dialog = (device) => device.page.getByRole("dialog");
const heading = (device, name) => device.page.getByRole("heading", { name });
const button = (device, name) => device.page.getByRole("button", { name });
const path = (device) => new URL(device.page.url()).pathname + new URL(device.page.url()).hash;

/** Counts what a person does, and how long they need for it. */
class Hands {
  keys = 0;
  clicks = 0;
  started = Date.now();

  async click(locator) {
    await locator.click();
    this.clicks += 1;
  }

  async type(locator, text) {
    await locator.fill(text);
    this.keys += text.length;
    this.clicks += 1;
  }

  /** With 40 words a minute, and two seconds to find and press each thing. */
  seconds() {
    const program = (Date.now() - this.started) / 1_000;
    return { program, person: this.keys * 0.3 + this.clicks * 2 + program };
  }
}

const EMAIL = "karin.berg@example.org";
const OWN = "walnut tractor 9 piano";
let link;

test("an administrator invites a vet, who takes it up from the mail and is at work within two minutes", async () => {
  const mailbox = new Mailbox(clinic, EMAIL);
  const { page } = administrator;
  const hands = new Hands();
  await hands.click(page.getByRole("link", { name: "Staff", exact: true }));
  await hands.click(button(administrator, /^Invite a colleague/));
  await hands.type(dialog(administrator).getByLabel("Full name"), "Karin Berg");
  await hands.type(dialog(administrator).getByLabel("Email"), EMAIL);
  await hands.click(button(administrator, "Send the invitation"));
  await page.getByRole("status").filter({ hasText: `on its way to ${EMAIL}` }).waitFor();
  await page.getByRole("region", { name: "Invited, not here yet" }).getByText("Karin Berg").waitFor();

  link = await mailbox.link();
  karin = await clinic.profile();
  await karin.page.goto(link);
  hands.clicks += 1;
  await heading(karin, /^Welcome to/).waitFor();
  assert.equal(path(karin), "/", "what is secret is not in the address bar");
  await karin.page.getByText("Eva Northgate invites you as Veterinarian.").waitFor();
  await hands.type(karin.page.getByLabel("New password"), OWN);
  await hands.click(button(karin, /^Join /));
  await day(karin).waitFor();
  await karin.page.getByText("Dr Berg").first().waitFor();
  const { program, person } = hands.seconds();
  console.log(
    `from inviting to being at work: ${hands.keys} keys, ${hands.clicks} clicks; the program took ${program.toFixed(1)} s, a person needs about ${person.toFixed(0)} s`,
  );
  assert.ok(person < 120, `${person} s`);
  await allAtTheClinic(karin);
});

test("a link that was used, and one that never was, say the same", async () => {
  const stranger = await clinic.profile();
  const said = [];
  for (const where of [link, `${clinic.address}/invitation#${"A".repeat(43)}`]) {
    await stranger.page.goto(where);
    await stranger.page.getByText("This link no longer works").waitFor();
    said.push(await stranger.page.getByRole("alert").innerText());
  }
  assert.equal(said[0], said[1]);
  await stranger.page.getByRole("button", { name: "Sign in" }).click();
  await stranger.page.getByLabel("Email").waitFor();
});

test("a pasted link is as good as one that was followed", async () => {
  const stranger = clinic.profiles.at(-1);
  await button(stranger, "I have a link from a mail").click();
  await stranger.page.getByLabel("Link", { exact: true }).fill("http://elsewhere.example/invitation#abc");
  await button(stranger, "Open").click();
  await stranger.page.getByText("belongs to http://elsewhere.example").waitFor();
  await stranger.page.getByLabel("Link", { exact: true }).fill(link);
  await button(stranger, "Open").click();
  await stranger.page.getByText("This link no longer works").waitFor();
});

test("a link that is opened while somebody is signed in says who, and lets them go on", async () => {
  await karin.page.goto(link);
  await karin.page.getByText("Karin Berg is signed in here").waitFor();
  await button(karin, "Go on as Karin Berg").click();
  await day(karin).waitFor();
});

test("a role that is given while somebody works shows at once, and is taken back with undo", async () => {
  const staff = karin.page.getByRole("link", { name: "Staff", exact: true });
  await allAtTheClinic(karin);
  assert.equal(await staff.count(), 0);
  await administrator.goto("/staff");
  await administrator.page.getByRole("link", { name: /Karin Berg/ }).click();
  await heading(administrator, "Karin Berg").waitFor();
  await button(administrator, "Change the roles").click();
  await dialog(administrator).getByLabel(/^Clinic administrator/).check();
  await button(administrator, "Save").click();
  await staff.waitFor();
  await button(administrator, "Undo").click();
  await staff.waitFor({ state: "detached" });
});

test("the last administrator stays one", async () => {
  await administrator.goto("/staff");
  await administrator.page.getByRole("main").getByRole("link", { name: /^Eva Northgate/ }).click();
  await heading(administrator, "Eva Northgate").waitFor();
  await button(administrator, "Change the roles").click();
  await dialog(administrator).getByLabel(/^Clinic administrator/).uncheck();
  await dialog(administrator).getByLabel(/^Viewer/).check();
  await button(administrator, "Save").click();
  await dialog(administrator).getByText("The clinic needs an administrator").waitFor();
  await administrator.page.keyboard.press("Escape");
});

test("who forgot the password chooses another one by mail, and the old one is none any more", async () => {
  const mailbox = new Mailbox(clinic, TECHNICIAN);
  const tomas = await clinic.profile();
  await tomas.goto("/");
  await button(tomas, "Forgot your password?").click();
  await tomas.page.getByLabel("Email").fill(TECHNICIAN);
  await button(tomas, "Send the mail").click();
  await tomas.page.getByText("A mail is on its way").waitFor();
  await tomas.page.goto(await mailbox.link());
  const field = tomas.page.getByLabel("New password");
  await field.fill("short");
  await button(tomas, "Save the password").click();
  await tomas.page.locator(".field__error").filter({ hasText: "At least 8 characters" }).waitFor();
  await field.fill("password123");
  await button(tomas, "Save the password").click();
  const weak = tomas.page.getByText("among the first that are tried");
  await weak.waitFor();
  await tomas.page.waitForFunction(() => document.activeElement?.id === "password");
  await tomas.page.keyboard.type("4");
  await weak.waitFor({ state: "detached" });
  await field.fill("gravel onion 4 lighthouse");
  await button(tomas, "Save the password").click();
  await tomas.page.getByText("Password changed").waitFor();
  await button(tomas, "Sign in").click();
  await tomas.enter(TECHNICIAN, PASSWORD);
  await tomas.page.getByText("do not go together").waitFor();
  await tomas.enter(TECHNICIAN, "gravel onion 4 lighthouse");
  await day(tomas).waitFor();
});

test("an owner who is invited by the desk sees exactly their own animals", async () => {
  const desk = await clinic.profile();
  await desk.signIn(DESK);
  await day(desk).waitFor();
  await allAtTheClinic(desk);
  await desk.goto("/clients");
  const clients = desk.page.locator("a.list__row[href^='/clients/']").filter({ hasNotText: /Petra Novak|Šárka/ });
  await clients.first().waitFor();
  // Not everybody has an animal that lives.
  const living = desk.page.locator("section:has(#pets-title) li:not([data-died])");
  for (const address of await clients.evaluateAll((all) => all.map((one) => one.getAttribute("href")))) {
    await desk.goto(address);
    await desk.page.locator("#reach-title").waitFor();
    if ((await living.count()) > 0) break;
  }
  await desk.page.keyboard.press("e");
  const email = "an.owner@example.org";
  await dialog(desk).getByLabel("Email").first().fill(email);
  await dialog(desk).getByRole("button", { name: /^Save/ }).click();
  await allAtTheClinic(desk);
  const named = (titles) => titles.map((title) => title.firstChild.textContent.trim()).sort();
  const pets = await living.locator(".list__title").evaluateAll(named);
  assert.ok(pets.length > 0);

  const mailbox = new Mailbox(clinic, email);
  await button(desk, "Invite to the owner’s app").click();
  await button(desk, "Send the invitation").click();
  await desk.page.getByRole("status").filter({ hasText: "on its way" }).waitFor();
  const owner = await clinic.profile(PHONE);
  await owner.page.goto(await mailbox.link());
  await owner.page.getByText(/invites you as Owner/).waitFor();
  await owner.page.getByLabel("New password").fill("cellar bicycle 7 mango");
  await button(owner, /^Join /).click();
  await heading(owner, "My pets").waitFor();
  await allAtTheClinic(owner);
  await owner.page.locator(".pet__name").first().waitFor();
  assert.deepEqual(await owner.page.locator(".pet__name").evaluateAll(named), pets);
});

test("a device that is signed out from another one says so, and keeps what was written on it", async () => {
  const second = await clinic.profile();
  await second.signIn(EMAIL, OWN);
  await day(second).waitFor();
  await allAtTheClinic(second);
  await karin.goto("/me");
  await karin.page.getByText("This device", { exact: true }).first().waitFor();
  const other = karin.page.locator(".device").filter({ hasNotText: "This device" }).first();
  await other.getByRole("button", { name: /^More about/ }).click();
  await karin.page.getByRole("menuitem", { name: "Sign out there" }).click();
  await dialog(karin).getByRole("button", { name: "Sign out there" }).click();
  await dialog(karin).waitFor({ state: "detached" });
  await banner(second, "Your session has ended.").waitFor();
});

test("without the server, the staff page says so and shows whom the records know", async () => {
  await administrator.goto("/staff");
  await administrator.page.getByRole("link", { name: /Karin Berg/ }).waitFor();
  await clinic.kill();
  await status(administrator).filter({ hasText: "Offline" }).waitFor();
  await administrator.goto("/staff");
  await administrator.page.getByText("The clinic cannot be reached").waitFor();
  await administrator.page.getByText("Ana Moreno").waitFor();
  assert.ok(await button(administrator, /^Invite a colleague/).isDisabled());
  await clinic.revive();
  await administrator.page.getByRole("link", { name: /Karin Berg/ }).waitFor();
});

test("whoever leaves is signed out everywhere at once, and the records go from their device", async () => {
  await administrator.page.getByRole("link", { name: /Karin Berg/ }).click();
  await button(administrator, "End the membership").click();
  await dialog(administrator).getByText("signed out everywhere at once").waitFor();
  await dialog(administrator).getByRole("button", { name: "End the membership" }).click();
  await heading(administrator, "Staff and roles").waitFor();
  await administrator.page.getByRole("link", { name: /Karin Berg/ }).waitFor({ state: "detached" });
  await karin.page.getByText("Karin Berg no longer belongs to Northgate Vets").waitFor();
  await karin.page.getByRole("textbox", { name: "Email" }).waitFor();
  assert.equal(await day(karin).count(), 0);
});

/** A clinic that whoever looks after clinics opens; gives the mail's link to its first administrator. */
async function opens(system, name, person, email) {
  const mailbox = new Mailbox(clinic, email);
  await button(system, /^Open a clinic/).click();
  await dialog(system).getByLabel("Name of the clinic").fill(name);
  await dialog(system).getByLabel("Full name").fill(person);
  await dialog(system).getByLabel("Email").fill(email);
  await button(system, "Open and invite").click();
  await system.page.locator(".person").filter({ hasText: name }).waitFor();
  return await mailbox.link();
}

let system;

test("whoever looks after clinics has them as home, and opens one more", async () => {
  system = await clinic.profile();
  await system.signIn(SYSTEM);
  await heading(system, "Clinics").waitFor();
  const link = await opens(system, "Southbank Animal Hospital", "Ruth Bell", "first@southbank.example");
  const ruth = await clinic.profile();
  await ruth.page.goto(link);
  await heading(ruth, "Welcome to Southbank Animal Hospital").waitFor();
  await ruth.page.getByLabel("New password").fill("harbour violin 3 pepper");
  await button(ruth, /^Join /).click();
  await ruth.page.locator(".day").waitFor();
  await ruth.page.getByRole("link", { name: "Staff", exact: true }).waitFor();
});

test("somebody who belongs to two clinics says which, and goes over to the other", async () => {
  const link = await opens(system, "Westgate Vets", "Ana Moreno", VET);
  const ana = await clinic.profile();
  await ana.page.goto(link);
  await ana.page.getByText("You have an account with this address already").waitFor();
  await ana.page.getByLabel("Your password").fill("not her password");
  await button(ana, "Join Westgate Vets").click();
  const wrong = ana.page.getByText("This is not your password");
  await wrong.waitFor();
  await ana.page.waitForFunction(() => document.activeElement?.id === "password");
  await ana.page.keyboard.type(PASSWORD);
  await wrong.waitFor({ state: "detached" });
  await button(ana, "Join Westgate Vets").click();
  const at = (name) => ana.page.locator(".side__clinic").filter({ hasText: name });
  await at("Westgate Vets").waitFor();

  await ana.goto("/me");
  await button(ana, "Sign out").last().click();
  await ana.enter(VET);
  await ana.page.getByText("At which clinic?").waitFor();
  await ana.page.getByRole("button", { name: /^Northgate Vets/ }).click();
  await at("Northgate Vets").waitFor();
  await allAtTheClinic(ana);
  await ana.goto("/me");
  await button(ana, "Go there").click();
  await dialog(ana).getByLabel("Password", { exact: true }).fill(PASSWORD);
  await dialog(ana).getByRole("button", { name: "Sign in" }).click();
  await at("Westgate Vets").waitFor();
  await allAtTheClinic(ana);
});

test("another window of the same browser asks the clinic as well, and both show what one of them changed", async () => {
  const other = Object.create(administrator, { page: { value: await administrator.context.newPage() } });
  other.watch(other.page);
  await other.goto("/me");
  await administrator.goto("/me");
  for (const one of [administrator, other]) await one.page.locator(".device").first().waitFor();
  await other.page.locator(".device").getByRole("button", { name: /^More about/ }).first().click();
  await other.page.getByRole("menuitem", { name: "Rename" }).click();
  await dialog(other).getByLabel("Name").fill("Desk by the window");
  await button(other, "Save").click();
  await other.page.locator(".device").filter({ hasText: "Desk by the window" }).waitFor();
  await administrator.goto("/me");
  await administrator.page.locator(".device").filter({ hasText: "Desk by the window" }).waitFor();
  await other.page.close();
});

test("nothing went wrong on any page meanwhile", () => {
  for (const profile of clinic.profiles) assert.deepEqual(profile.troubles, []);
});
