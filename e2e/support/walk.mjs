// Every screen of the program in every state that a person meets, in the order of a working day. Whoever walks says
// what is done at each: audit it, or take its picture.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ADMINISTRATOR, DESK, OWNER, PASSWORD, SYSTEM } from "./clinic.mjs";
import { Mailbox } from "./mails.mjs";
import { allAtTheClinic, banner, day, find, offline, palette, saved, section, startRex, status } from "./screens.mjs";

const dialog = (page) => page.getByRole("dialog");
/** On a phone a side of the page is a sheet with its own button. */
const closeSheet = (page) => page.getByRole("button", { name: "Close" }).and(page.locator(".drawer__close:visible")).click();
const escape = async (page) => {
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "detached" });
};

/** From the sign-in to the first records; the device's line must be a `SlowLine`. */
export async function arrival(device, line, email, at) {
  const { page } = device;
  await device.goto("/");
  await page.getByLabel("Email").waitFor();
  await at("sign-in");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByText("Email is missing").waitFor();
  await at("sign-in, nothing filled in");
  await device.enter(email, "a wrong password");
  await page.getByRole("alert").waitFor();
  await at("sign-in, wrong password");
  line.hold(2_000);
  await device.enter(email);
  await page.getByRole("heading", { name: "Getting your clinic’s records" }).waitFor();
  await at("first sync");
  line.release();
  await page.locator(".day").waitFor();
  await allAtTheClinic(device);
}

export async function theDay(device, at) {
  const { page, touch } = device;
  await device.goto("/");
  await page.locator(".day").waitFor();
  await at("day");
  const expected = page.locator(`${touch ? ".agenda__row" : ".appt"}:is([data-status="booked"], [data-status="clash"]) button`);
  if (touch) {
    await page.getByRole("button", { name: /^Everyone/ }).click();
    await at("day, everyone");
    await page.getByRole("button", { name: /^Waiting/ }).click();
    await page.getByRole("heading", { name: "Waiting", exact: true }).waitFor();
    await at("day, right now");
    await closeSheet(page);
  }
  await expected.first().click();
  await dialog(page).waitFor();
  await at("day, appointment");
  await page.getByRole("button", { name: "Cancel booking" }).click();
  await page.getByLabel("Why is it cancelled?").waitFor();
  await at("day, cancelling");
  await escape(page);
  if (!touch) {
    await expected.first().focus();
    await page.keyboard.press("m");
    await page.getByText(/^Moving /).waitFor();
    await page.keyboard.press("ArrowDown");
    await at("day, moving");
    await page.keyboard.press("Escape");
  }
  await status(device).click();
  await dialog(page).waitFor();
  await at("day, connection");
  await page.keyboard.press("Escape");
  // A demonstration that is made on a Sunday is at work on Sundays, so that there is a day to show: none is closed then.
  const weekday = new Date().toLocaleDateString("en", { weekday: "long", timeZone: "Europe/Prague" });
  if (weekday === "Sunday") return;
  const sunday = new Date();
  sunday.setDate(sunday.getDate() + 14 - sunday.getDay());
  await device.goto(`/day/${sunday.toISOString().slice(0, 10)}`);
  await page.getByText(/is closed\./).first().waitFor();
  await at("day, closed");
}

export async function overThePage(device, at) {
  const { page } = device;
  await device.goto("/");
  await page.locator(".day").waitFor();
  await page.keyboard.press("b");
  await dialog(page).waitFor();
  await at("booking");
  await page.getByRole("combobox", { name: "Patient" }).pressSequentially("rex novak");
  await page.getByRole("option", { name: /Petra Novak/ }).first().waitFor();
  await at("booking, searching");
  await page.keyboard.press("Enter");
  await dialog(page).getByText(/Border Collie/).waitFor();
  await page.getByRole("radio", { name: /free/ }).last().click();
  await page.locator(".slot").first().click();
  await at("booking, chosen");
  await page.getByRole("button", { name: "Show taken times" }).click();
  await page.getByRole("radio", { name: /taken/ }).first().click();
  await page.getByRole("button", { name: /^Book anyway/ }).waitFor();
  await at("booking, taken");
  await escape(page);

  await page.keyboard.press("n");
  await page.getByLabel("Given name").waitFor();
  await at("new client");
  await page.getByLabel("Family name").fill("Novak");
  await page.getByText("Is it one of these?").waitFor();
  await page.getByLabel("Phone").fill("no number");
  await dialog(page).getByRole("button", { name: "Save", exact: false }).last().click();
  await page.locator(".field__error").first().waitFor();
  await at("new client, wrong");
  await escape(page);

  await page.keyboard.press("Control+k");
  await palette(device).waitFor();
  await at("palette");
  await palette(device).fill("nov");
  await page.getByRole("option", { name: /Novak/ }).first().waitFor();
  await at("palette, found");
  await palette(device).fill("xyzzy");
  await page.getByText("Nobody called “xyzzy”").waitFor();
  await at("palette, nobody");
  await escape(page);
}

export async function people(device, at) {
  const { page, touch } = device;
  await device.goto("/clients");
  await page.getByRole("link", { name: /Novak/ }).first().waitFor();
  await at("clients");
  await page.getByRole("searchbox").fill("xyzzy");
  await page.getByText("Nobody called “xyzzy”").waitFor();
  await at("clients, nobody");
  await device.goto("/patients");
  await page.locator("li[data-died] a").first().waitFor();
  await at("patients");
  await page.locator("li[data-died] a").first().click();
  await page.getByText(/ died on /).first().waitFor();
  await at("patient, died");

  await find(device, "petra novak", /^Petra Novak/);
  await page.getByRole("heading", { name: "Petra Novak" }).waitFor();
  await at("client");
  await page.keyboard.press("e");
  await dialog(page).waitFor();
  await at("client, edit");
  await escape(page);
  await page.getByRole("button", { name: "Add a pet" }).click();
  await dialog(page).waitFor();
  await at("client, new pet");
  await escape(page);

  await page.getByRole("link", { name: /^Rex/ }).first().click();
  await page.getByRole("heading", { name: "Rex" }).waitFor();
  await at("patient");
  await page.getByRole("button", { name: "More about Rex" }).click();
  await page.getByRole("menuitem").first().waitFor();
  await at("patient, menu");
  await page.getByRole("menuitem", { name: /has died/ }).click();
  await dialog(page).waitFor();
  await at("patient, death");
  await escape(page);
  await page.getByRole("button", { name: /^Edit/ }).first().click();
  await dialog(page).waitFor();
  await at("patient, edit");
  await escape(page);
  await page.getByRole("button", { name: "Add an alert" }).click();
  await dialog(page).waitFor();
  await at("patient, new alert");
  await escape(page);
  await page.getByRole("button", { name: /^No longer true/ }).first().click();
  await dialog(page).waitFor();
  await at("patient, alert taken back");
  await escape(page);
  await page.getByRole("button", { name: "Show as a table" }).click();
  await page.getByRole("table").waitFor();
  await page.getByLabel("New weight").fill("42");
  await page.getByRole("button", { name: "Record", exact: true }).click();
  await page.getByText(/was that pounds/).waitFor();
  await at("patient, weights and a doubtful one");
  if (!touch) return;
  // The menu of places that a tablet shows is not on a phone; its bar is.
  await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Patients" }).click();
  await page.getByRole("heading", { name: "Patients" }).waitFor();
}

/** `address` is that of a visit that another device has begun already. Returns the address. */
export async function visit(device, address, at) {
  const { page, touch } = device;
  if (address) {
    await device.goto(address);
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("button", { name: "Reopen" }).click();
    await closeSheet(page);
    await section(device, "History").waitFor();
  } else {
    await device.goto("/");
    address = await startRex(device);
    await at("visit, empty");
  }
  await section(device, "History").fill(
    "Vomited four times overnight, foam at last. Drinks and keeps it down. Ate part of a rope toy on Sunday.",
  );
  await section(device, "Assessment").fill("Acute gastritis; foreign body not excluded.");
  await page.getByLabel(/^Temperature/).fill("40.1");
  await page.getByLabel(/^Heart/).fill("96");
  await page.getByLabel(/^Heart/).press("Enter");
  await saved(device, "At the clinic").waitFor();
  await page.getByText(/above 39/).waitFor();
  await at("visit");
  if (touch) {
    await page.locator(".visit__dock .chip").click();
    await page.getByRole("complementary", { name: "Rex" }).waitFor();
    await at("visit, the patient");
    await closeSheet(page);
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("button", { name: /^Finish visit/ }).waitFor();
    await at("visit, more");
  }
  await page.getByRole("button", { name: /^Finish visit/ }).click();
  await page.getByText(/^Finished \d/).waitFor();
  if (touch) await closeSheet(page);
  await at("visit, finished");
  return address;
}

export async function elsewhere(device, at) {
  const { page } = device;
  await device.goto("/me");
  await page.getByRole("heading", { name: "This device" }).waitFor();
  await at("me");
  await page.getByRole("button", { name: /^Show/ }).first().click();
  await dialog(page).waitFor();
  await at("keys");
  await escape(page);
  await device.goto("/waiting");
  await page.getByText("Nothing on this device is waiting").waitFor();
  await at("waiting, nothing");
  await device.goto("/needs-attention");
  await page.getByText("Nothing needs you").waitFor();
  await at("needs attention, nothing");
  await device.goto("/no/such/page");
  await page.getByText("There is nothing at this address").waitFor();
  await at("not found");
  for (const kind of ["patient", "client", "visit"]) {
    await device.goto(`/${kind}s/019c0000-0000-7000-8000-000000000000`);
    await page.getByText(`This ${kind} is not on this device`).waitFor();
    await at(`${kind} missing`);
  }
  await device.goto("/gallery");
  await page.getByRole("heading", { name: "Parts" }).waitFor();
  await at("gallery");
}

/** The server dies while somebody writes; then it no longer takes what was written; then the session has ended. */
export async function hardTimes(device, email, at) {
  const { page, clinic } = device;
  const client = { path: await pathOf(device, "petra novak", /^Petra Novak/) };
  await clinic.kill();
  await offline(device);
  await page.keyboard.press("e");
  await dialog(page).getByLabel("Address").fill("Lipová 4, Brno");
  await dialog(page).getByRole("button", { name: /^Save/ }).click();
  await status(device).filter({ hasText: /Offline.*1/ }).waitFor();
  await status(device).click();
  await dialog(page).waitFor();
  await at("offline, what waits");
  await page.keyboard.press("Escape");
  await device.goto("/");
  await page.locator(".day").waitFor();
  await at("offline, day");
  await device.goto("/waiting");
  await page.getByText(/details changed/).first().waitFor();
  await at("offline, waiting");
  await device.goto("/me");
  await page.getByRole("button", { name: "Sign out" }).click();
  await dialog(page).waitFor();
  await at("offline, signing out");
  await escape(page);

  const before = clinic.rolesOf(email);
  clinic.setRoles(email, "viewer");
  await clinic.revive();
  await device.goto("/needs-attention");
  await page.getByText("Your role may not change this.").first().waitFor();
  await at("needs attention");
  await page.getByRole("button", { name: "Change…" }).first().click();
  await dialog(page).waitFor();
  await at("needs attention, changing");
  await escape(page);
  const more = async (item) => {
    await page.getByRole("button", { name: /^More about/ }).first().click();
    await page.getByRole("menuitem", { name: item }).click();
    await dialog(page).waitFor();
  };
  await more("Hand over…");
  await at("needs attention, handing over");
  await escape(page);
  await more("Discard…");
  await dialog(page).getByLabel("Why is it not needed?").fill("She moved again");
  await at("needs attention, discarding");
  await dialog(page).getByRole("button", { name: "Discard", exact: true }).click();
  await page.getByRole("button", { name: "Put back" }).waitFor();
  await at("needs attention, discarded");
  clinic.setRoles(email, before);
  await device.goto(client.path);

  await clinic.kill();
  clinic.sql("delete from refresh_tokens");
  await clinic.revive();
  await banner(device, "Your session has ended.").waitFor();
  await at("session ended");
  await page.getByRole("button", { name: "Sign in again" }).click();
  await dialog(page).waitFor();
  await at("signing in again");
}

async function pathOf(device, typed, name) {
  await find(device, typed, name);
  await device.page.waitForURL(/\/(clients|patients)\/./);
  return new URL(device.page.url()).pathname;
}

/** The records are with a window that says nothing, as one of another build does. */
export async function secondWindow(device, at) {
  const stranger = await device.context.newPage();
  await stranger.goto(`${device.address}/manifest.webmanifest`);
  const held = stranger.evaluate(
    () => new Promise((held) => navigator.locks.request("device-store", () => (held(), new Promise(() => {})))),
  );
  await device.goto("/");
  await held;
  await device.page.getByText("The clinic is open in another window").waitFor();
  await at("open in another window");
  await stranger.close();
  await device.page.getByText("The clinic is open in another window").waitFor({ state: "detached" });
}

/** The device locks: what opens it, what does not, and who is asked. Ends with the vet who was there before. */
export async function locking(device, at) {
  const { page } = device;
  const pin = "481516";
  const locked = page.locator("main.lock");
  const setPin = async (digits) => {
    await page.getByLabel("New PIN").fill(digits);
    await page.getByLabel("The same PIN again").fill(digits);
    await dialog(page).getByRole("button", { name: "Set a PIN" }).click();
  };
  const lock = async () => {
    await device.goto("/me");
    await page.getByRole("button", { name: "Lock", exact: true }).last().click();
    await locked.waitFor();
  };
  await device.goto("/");
  await banner(device, "Set a PIN to be back in a second.").getByRole("button", { name: "Set a PIN" }).click();
  await dialog(page).waitFor();
  await at("setting a PIN");
  await setPin("123456");
  await page.getByText("This one is tried first. Choose another").waitFor();
  await at("setting a PIN, refused");
  await setPin(pin);
  // Whoever signed in a while ago is asked whether they still are who they were.
  const proof = dialog(page).getByLabel("Password", { exact: true });
  await page.waitForFunction(() => !document.querySelector("[role=dialog]") || document.querySelector("#pin-password"));
  if (await proof.count()) {
    await at("setting a PIN, asked for the password");
    await proof.fill(PASSWORD);
    await dialog(page).getByRole("button", { name: "Set a PIN" }).click();
    await dialog(page).waitFor({ state: "detached" });
  }
  await lock();
  await at("locked");
  await device.unlock("000000");
  await page.getByRole("alert").filter({ hasText: "4 tries left" }).waitFor();
  await at("locked, wrong PIN");
  await page.getByRole("button", { name: "Use the password" }).click();
  await at("locked, password");
  await device.unlock("not the password");
  await page.getByRole("alert").filter({ hasText: "That is not the password" }).waitFor();
  await at("locked, wrong password");
  await page.getByRole("button", { name: "Sign in with email" }).click();
  await page.getByRole("textbox", { name: "Email" }).waitFor();
  await at("locked, signing in");
  await device.enter(DESK);
  await locked.waitFor({ state: "detached" });
  await lock();
  await page.getByRole("list", { name: "Who works here?" }).waitFor();
  await at("locked, several people");
  await device.unlock(pin, /Ana Moreno/);
  await locked.waitFor({ state: "detached" });
}

/** The device must not have been signed in. */
export async function noStore(device, at) {
  await breakFileSystem(device);
  await device.goto("/");
  await device.page.getByText("This window cannot keep your work").waitFor();
  await at("no store");
}

/** The browser's private file system can no longer be opened: where its folder was, there is something else. */
export async function breakFileSystem(device) {
  await device.close();
  const folder = join(device.folder, "Default", "File System");
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(folder, "not a folder");
  await device.open();
}

export async function owner(device, at) {
  const { page } = device;
  await device.signIn(OWNER);
  await page.getByRole("heading", { name: "My pets" }).waitFor();
  await allAtTheClinic(device);
  await at("owner, my pets");
  await page.getByRole("link", { name: /^Rex/ }).click();
  await page.getByRole("heading", { name: "Rex" }).waitFor();
  await at("owner, pet");
  await device.goto("/me");
  await page.getByRole("heading", { name: "This device" }).waitFor();
  await at("owner, me");
}

/** Everything about accounts; the device must not have been signed in, and its server must write mails into a folder. */
export async function accounts(device, at) {
  const { page, clinic } = device;
  const press = (name) => page.getByRole("button", { name }).first().click();
  await device.goto("/");
  await press("Forgot your password?");
  await page.getByText("A mail with a link").waitFor();
  await at("forgot password");
  await page.getByLabel("Email").fill("somebody@example.org");
  await press("Send the mail");
  await page.getByText("A mail is on its way").waitFor();
  await at("forgot password, sent");
  await press("I have a link from a mail");
  await page.getByLabel("Link", { exact: true }).fill("nothing like a link");
  await press("Open");
  await page.locator(".field__error").waitFor();
  await at("paste a link, wrong");
  await device.goto(`/reset-password#${"A".repeat(43)}`);
  await page.getByLabel("New password").fill("short");
  await press("Save the password");
  await page.locator(".field__error").waitFor();
  await at("reset password, too short");
  await device.goto(`/invitation#${"A".repeat(43)}`);
  await page.getByText("This link no longer works").waitFor();
  await at("dead link");

  await device.signIn(ADMINISTRATOR);
  await page.locator(".day").waitFor();
  await allAtTheClinic(device);
  await device.goto("/staff");
  await page.getByRole("link", { name: /Ana Moreno/ }).waitFor();
  await press(/^Invite a colleague/);
  await dialog(page).waitFor();
  await at("invite");
  await press("Send the invitation");
  await page.locator(".field__error").first().waitFor();
  await at("invite, nothing filled in");
  const email = `karin.${device.touch ? "phone" : "desktop"}@example.org`;
  const mailbox = new Mailbox(clinic, email);
  await dialog(page).getByLabel("Full name").fill("Karin Berg");
  await dialog(page).getByLabel("Email").fill(email);
  await press("Send the invitation");
  await dialog(page).waitFor({ state: "detached" });
  await page.getByText(email).first().waitFor();
  const link = await mailbox.link();
  await at("staff");
  await page.getByRole("button", { name: "More about Karin Berg" }).first().click();
  await page.getByRole("menuitem", { name: "Withdraw" }).click();
  await dialog(page).waitFor();
  await at("staff, withdrawing an invitation");
  await escape(page);
  await page.getByRole("link", { name: /Ana Moreno/ }).click();
  await page.getByRole("heading", { name: /Ana Moreno/ }).waitFor();
  await at("member");
  await press("Change the roles");
  await dialog(page).waitFor();
  await at("member, roles");
  await escape(page);
  await press("End the membership");
  await dialog(page).waitFor();
  await at("member, leaving");
  await escape(page);

  await device.goto("/handed-in");
  await page.getByText("Nothing was handed in").waitFor();
  await at("handed in, nothing");
  await device.goto("/trail");
  await page.locator(".trail__line").first().waitFor();
  await at("trail");
  await device.goto("/trail?what=second_factor_refused");
  await page.getByRole("heading", { name: "Nothing fits what you look for" }).waitFor();
  await at("trail, nothing");
  await device.goto("/me");
  await page.locator(".device").first().waitFor();
  await at("me, account");
  for (const [name, screen] of [["Change: Email", "email"], ["Change: Password", "password"]]) {
    await press(name);
    await dialog(page).waitFor();
    await at(`me, ${screen}`);
    await escape(page);
  }
  await page.locator(".device").getByRole("button", { name: /^More about/ }).first().click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await dialog(page).waitFor();
  await at("me, naming a device");
  await escape(page);

  await page.goto(link.replace(clinic.address, device.address));
  await page.getByText("Eva Northgate is signed in here").waitFor();
  await at("invitation, somebody is signed in");
  await press("Go on as Eva Northgate");
  await page.locator(".day").waitFor();
  await clinic.kill();
  await offline(device);
  await device.goto("/staff");
  await page.getByText("The clinic cannot be reached").waitFor();
  await at("staff, offline");
  await device.goto("/handed-in");
  await page.getByText("The clinic cannot be reached").waitFor();
  await at("handed in, offline");
  await device.goto("/trail");
  await page.getByText("The clinic cannot be reached").first().waitFor();
  await at("trail, offline");
  await device.goto("/me");
  await page.getByText("The clinic cannot be reached").waitFor();
  await at("me, offline");
  await clinic.revive();
  await allAtTheClinic(device);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("textbox", { name: "Email" }).waitFor();
  await page.goto(link.replace(clinic.address, device.address));
  await page.getByRole("heading", { name: /^Welcome to/ }).waitFor();
  await at("invitation");

  // Whoever reads none of these records opens them with no password; as the clinic has all of them, they may go.
  await device.signIn(SYSTEM);
  const byOthers = page.getByRole("alert").filter({ hasText: "These records were locked by others" });
  await byOthers.waitFor();
  await at("locked by others");
  await press("Delete and begin anew");
  // What is typed before that is typed into a form that goes.
  await byOthers.waitFor({ state: "detached" });
  await device.enter(SYSTEM);
  await page.getByRole("heading", { name: "Clinics" }).waitFor();
  await page.locator(".person").first().waitFor();
  await at("clinics");
  await press(/^Open a clinic/);
  await dialog(page).waitFor();
  await at("clinics, opening one");
  await escape(page);
}

/** Inviting an owner from their page. */
export async function ownersApp(device, at) {
  const { page } = device;
  await pathOf(device, "petra novak", /^Petra Novak/);
  await page.getByRole("button", { name: "Invite to the owner’s app" }).click();
  await dialog(page).locator(".alert").waitFor();
  await at("owner’s app");
  await escape(page);
}
