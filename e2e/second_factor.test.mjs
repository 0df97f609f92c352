// Second factors: an app that is set up and asked for, recovery codes, a clinic that asks its staff, and passkeys.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Audit } from "./support/axe.mjs";
import { ADMINISTRATOR, Clinic, DESK, PASSWORD, PHONE, TECHNICIAN, VET } from "./support/clinic.mjs";
import { Mailbox } from "./support/mails.mjs";
import { newApp } from "./support/one_time_code.mjs";
import { allAtTheClinic, button, day } from "./support/screens.mjs";

let clinic, audit, vet, app, codes;

before(async () => {
  clinic = await Clinic.start({ patients: 20, years: 1, named: true });
  audit = new Audit();
});
after(() => clinic?.stop());

const heading = (device, name) => device.page.getByRole("heading", { name });
const code = (device) => device.page.locator("#code");
const setting = (device, words) => device.page.locator("#factors .setting").filter({ hasText: words });
const says = (device, words) => device.page.getByText(words, { exact: false }).first().waitFor();

const look = (device, screen) => audit.look(device, screen);

/** What was sent to the clinic and is in no log. */
const sent = new Set();
const sending = (secret) => {
  sent.add(secret);
  return secret;
};

/** The recovery codes on the screen. */
async function listed(device) {
  await device.page.locator(".codes:visible").waitFor();
  return device.page.locator(".codes:visible code").allInnerTexts();
}

async function keepCodes(device) {
  await device.page.getByLabel("I have kept these codes where I find them again").check();
  await button(device, "Go on").click();
}

async function prove(device) {
  await device.page.getByLabel("Your password").fill(PASSWORD);
  await device.page.keyboard.press("Enter");
}

async function signOut(device) {
  await allAtTheClinic(device);
  await device.goto("/me");
  await button(device, "Sign out").click();
  await device.page.getByRole("textbox", { name: "Email" }).waitFor();
}

/** Locks the device, then opens it with the password where no network is. */
async function unlocksWithoutNetwork(device) {
  await allAtTheClinic(device);
  await device.goto("/me");
  await button(device, "Lock").last().click();
  await device.page.locator("main.lock").waitFor();
  await device.context.setOffline(true);
  await device.unlock();
  await heading(device, "My account").waitFor();
  await device.context.setOffline(false);
  await allAtTheClinic(device);
}

test("an app is set up on one’s own page, and its recovery codes are kept first", async () => {
  vet = await clinic.profile();
  const mailbox = new Mailbox(clinic, VET);
  await vet.signIn(VET);
  await day(vet).waitFor();
  await vet.goto("/me");
  await setting(vet, "Authenticator app").waitFor();
  await look(vet, "me, no second factor");
  await vet.page.getByRole("button", { name: "Set up: Authenticator app" }).click();
  await look(vet, "set up, password");
  await vet.page.getByLabel("Your password").fill(sending("a wrong one"));
  await vet.page.keyboard.press("Enter");
  await says(vet, "This is not your password");
  await prove(vet);
  app = await newApp(vet);
  await look(vet, "set up, scan");
  await code(vet).fill("000000");
  await says(vet, "This is not the code of this half minute");
  assert.equal(await code(vet).inputValue(), "", "there is room for the next one");
  await look(vet, "set up, wrong code");
  await code(vet).fill(sending(await app.code()));
  codes = await listed(vet);
  assert.equal(codes.length, 10);
  await button(vet, "Go on").click();
  await says(vet, "Keep them first, then tick this");
  await look(vet, "recovery codes");

  const [download] = await Promise.all([vet.page.waitForEvent("download"), button(vet, "Save as a file").click()]);
  assert.equal(download.suggestedFilename(), "recovery-codes.txt");
  const saved = readFileSync(await download.path(), "utf8");
  for (const one of codes) assert.ok(saved.includes(one), one);
  await vet.page.emulateMedia({ media: "print" });
  assert.deepEqual(await vet.page.locator(".codes:visible code").allInnerTexts(), codes, "on paper");
  const words = await vet.page.evaluate(() => document.body.innerText);
  assert.match(words, /^Recovery codes of/);
  assert.doesNotMatch(words, /Signing in|Go on/, "nothing else is on paper");
  if (process.env.SHOTS) await vet.page.screenshot({ path: join(process.env.SHOTS, "recovery-codes-paper.png") });
  await vet.page.emulateMedia({ media: null });

  await keepCodes(vet);
  await says(vet, "Your authenticator app is set up");
  await setting(vet, "Recovery codes").getByText("10 left").waitFor();
  await setting(vet, "Authenticator app").getByText("On", { exact: true }).waitFor();
  await look(vet, "me, an app");
  assert.match(await mailbox.next(), /An authenticator app or a passkey was set up for your account/);
});

test("from then on its code is asked for, and the password still unlocks the device", async () => {
  await signOut(vet);
  await vet.enter(VET);
  await heading(vet, "One more step").waitFor();
  await look(vet, "code");
  await code(vet).fill("12345");
  await vet.page.keyboard.press("Enter");
  await says(vet, "The code has six digits");
  await code(vet).fill("000000");
  await says(vet, "This is not the code of this half minute");
  await look(vet, "code, wrong");
  const next = sending(await app.code());
  // As apps show it, and as it is pasted; it goes off by itself.
  await code(vet).fill(`${next.slice(0, 3)} ${next.slice(3)}`);
  await heading(vet, "Signing in").waitFor();
  await vet.goto("/");
  await day(vet).waitFor();
  await unlocksWithoutNetwork(vet);
});

test("a recovery code lets in whoever has lost the phone, once", async () => {
  const phone = await clinic.profile(PHONE);
  const mailbox = new Mailbox(clinic, VET);
  await phone.signIn(VET);
  await heading(phone, "One more step").waitFor();
  await look(phone, "code");
  await button(phone, "Use a recovery code").click();
  await phone.page.locator("#recovery-code").fill(sending("00000-00000"));
  await phone.page.keyboard.press("Enter");
  await says(phone, "This is none of your recovery codes");
  await look(phone, "recovery code, wrong");
  await phone.page.locator("#recovery-code").fill(sending(codes[0].toUpperCase().replace("-", " ")));
  await button(phone, "Go on").click();
  await phone.page.locator(".day").waitFor();
  assert.match(await mailbox.next(), /One of the recovery codes of your account was used in place of an app or a passkey. You have 9 left/);
  await phone.goto("/me");
  await setting(phone, "Recovery codes").getByText("9 left").waitFor();
  await look(phone, "me, an app");

  // New ones take the place of the former ones.
  await phone.page.getByRole("button", { name: "New codes: Recovery codes" }).click();
  await prove(phone);
  await heading(phone, "One more step").waitFor();
  await look(phone, "new codes, one more step");
  await button(phone, "Use a recovery code").click();
  await phone.page.locator("#recovery-code").fill(sending(codes[1]));
  await phone.page.keyboard.press("Enter");
  const fresh = await listed(phone);
  assert.equal(fresh.length, 10);
  assert.ok(fresh.every((one) => !codes.includes(one)));
  codes = fresh;
  await look(phone, "recovery codes");
  await keepCodes(phone);
  await setting(phone, "Recovery codes").getByText("10 left").waitFor();
  await phone.close();
});

test("whoever guesses codes waits, and is told how long", async () => {
  const stranger = await clinic.profile();
  await stranger.signIn(VET);
  for (let guess = 0; guess < 5; guess += 1) {
    await code(stranger).fill("000000");
    await says(stranger, "This is not the code of this half minute");
    await stranger.page.waitForFunction(() => document.querySelector("#code")?.value === "");
  }
  await code(stranger).fill("000000");
  const slowed = stranger.page.getByRole("alert").filter({ hasText: /You can try again in \d:\d\d/ });
  await slowed.waitFor();
  await stranger.page.getByRole("alert").waitFor({ state: "detached" });
  // The server's first pauses are over before anybody could look at them.
  await stranger.context.route("**/api/v1/sign-in/second", (route) =>
    route.fulfill({ status: 429, headers: { "retry-after": "60" } }),
  );
  await code(stranger).fill("");
  await code(stranger).fill("000000");
  await slowed.waitFor();
  await look(stranger, "code, slowed down");
  assert.ok(await slowed.isVisible(), "it was there all the while");
  await button(stranger, "Back to signing in").click();
  await stranger.page.getByRole("textbox", { name: "Email" }).waitFor();
  await stranger.close();
});

test("a clinic asks its staff, and whoever has none sets one up on the way in", async () => {
  const administrator = await clinic.profile();
  await administrator.signIn(ADMINISTRATOR);
  await allAtTheClinic(administrator);
  await administrator.goto("/staff");
  const ask = administrator.page.getByRole("switch", { name: "Ask staff for a second step" });
  await ask.click();
  await look(administrator, "staff, asking for a second step");
  await administrator.page.keyboard.press("Escape");
  await ask.click();
  await administrator.page.getByLabel("Your password").fill(sending("a wrong one"));
  await administrator.page.keyboard.press("Enter");
  await says(administrator, "This is not your password");
  assert.equal(await ask.getAttribute("aria-checked"), "false");
  await prove(administrator);
  await says(administrator, "From the next sign-in on, staff are asked for a second step");
  await administrator.page.getByRole("dialog").waitFor({ state: "detached" });
  await administrator.page.waitForFunction(
    () => document.querySelector("[role=switch][aria-label^='Ask staff']")?.ariaChecked === "true",
  );
  await look(administrator, "staff");

  const technician = await clinic.profile(PHONE);
  await technician.signIn(TECHNICIAN);
  await says(technician, "Your clinic asks for one more step");
  const address = await technician.page.getByRole("link", { name: "Open in the app on this device" }).getAttribute("href");
  assert.match(address, /^otpauth:\/\/totp\//);
  await look(technician, "set up on the way in");
  // Whoever has no phone at hand now comes another time.
  await button(technician, "Back to signing in").click();
  await technician.page.getByRole("textbox", { name: "Email" }).waitFor();
  await technician.enter(TECHNICIAN);
  const theirs = await newApp(technician);
  await look(technician, "set up on the way in, by hand");
  await code(technician).fill(sending(await theirs.code()));
  assert.equal((await listed(technician)).length, 10);
  for (const way of ["Forgot your password?", "Back to signing in"]) {
    await button(technician, way).click();
    await says(technician, "Keep them first, then tick this");
    assert.equal((await listed(technician)).length, 10, "nobody leaves them by chance");
  }
  await look(technician, "recovery codes on the way in");
  // Whoever has kept them is not held where the clinic cannot be reached.
  await technician.context.route("**/api/v1/sign-in/second", (route) => route.abort());
  await keepCodes(technician);
  await says(technician, "The clinic cannot be reached");
  await look(technician, "recovery codes, the clinic is gone");
  await technician.context.unroute("**/api/v1/sign-in/second");
  await button(technician, "Back to signing in").click();
  await technician.page.getByRole("textbox", { name: "Email" }).waitFor();
  await technician.enter(TECHNICIAN);
  await code(technician).fill(sending(await theirs.code()));
  await technician.page.locator(".day").waitFor();
  await unlocksWithoutNetwork(technician);
  await technician.goto("/me");
  await says(technician, "Your clinic asks for a second step");
  await look(technician, "me, the clinic asks");
  await technician.page.getByRole("button", { name: "Take away: Authenticator app" }).click();
  await prove(technician);
  await code(technician).fill(sending(await theirs.code()));
  await says(technician, "The last one stays");
  await technician.close();

  // Whoever has lost everything is helped.
  const mailbox = new Mailbox(clinic, TECHNICIAN);
  await administrator.goto("/staff");
  await administrator.page.getByRole("link", { name: /Tomas Kral|Tomáš Král/ }).click();
  await administrator.page.getByRole("button", { name: "Take it away" }).click();
  await look(administrator, "member, taking the second step away");
  await prove(administrator);
  await says(administrator, "had set up is asked for any more");
  assert.match(await mailbox.next(), /is not asked for any more/);
  // They have shown a moment ago who they are.
  await administrator.page.goBack();
  await ask.click();
  await look(administrator, "staff, asking for no second step any more");
  await button(administrator, "Do not ask").click();
  await says(administrator, "Staff are not asked for a second step any more");
  await administrator.page.getByRole("dialog").waitFor({ state: "detached" });
  await administrator.close();
});

test("a passkey is made, and is enough to sign in with", async () => {
  const desk = await clinic.profile();
  const debug = await desk.context.newCDPSession(desk.page);
  await debug.send("WebAuthn.enable");
  const { authenticatorId } = await debug.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await desk.signIn(DESK);
  await allAtTheClinic(desk);
  await desk.goto("/me");
  await desk.page.getByRole("button", { name: "Add one: Passkeys" }).click();
  await prove(desk);
  await desk.page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("Reception");
  await look(desk, "passkey, name");
  await button(desk, "Make the passkey").click();
  assert.equal((await listed(desk)).length, 10, "the first factor brings them");
  await keepCodes(desk);
  await setting(desk, "Passkey “Reception”").getByText(/^Made on/).waitFor();
  const { credentials } = await debug.send("WebAuthn.getCredentials", { authenticatorId });
  assert.equal(credentials.length, 1);
  assert.ok(credentials[0].isResidentCredential);
  await look(desk, "me, a passkey");

  await signOut(desk);
  await look(desk, "sign in, with a passkey");
  await button(desk, "Sign in with a passkey").click();
  await setting(desk, "Passkey “Reception”").getByText(/^Last used/).waitFor();

  // After a password it is the second factor.
  await signOut(desk);
  await desk.enter(DESK);
  await heading(desk, "One more step").waitFor();
  await look(desk, "passkey as the second factor");
  await debug.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await button(desk, "Use a passkey").click();
  await says(desk, "No passkey was used");
  await debug.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await button(desk, "Use a passkey").click();
  await heading(desk, "Signing in").waitFor();
  await desk.goto("/");
  await desk.page.locator(".day").waitFor();
  await unlocksWithoutNetwork(desk);

  await desk.goto("/me");
  await desk.page.getByRole("button", { name: "Take away: Passkey “Reception”" }).click();
  await prove(desk);
  await button(desk, "Use a passkey").click();
  await says(desk, "The passkey is taken away");
  // There is nothing left that could be lost.
  await setting(desk, "Recovery codes").waitFor({ state: "detached" });
});

test("every screen of it can be used by everybody", () => assert.deepEqual(audit.lines(), []));

test("no page complained, and no log has a secret", () => {
  for (const profile of clinic.profiles) assert.deepEqual(profile.troubles, []);
  assert.ok(sent.size > 6, `${sent.size} were sent`);
  for (const one of [...sent, ...codes]) assert.doesNotMatch(clinic.log, new RegExp(`\\b${one}\\b`), one);
});
