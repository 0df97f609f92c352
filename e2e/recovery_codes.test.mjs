// Recovery codes are shown once: nobody loses them by chance, and whoever has lost them hears of it and makes new ones.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Audit } from "./support/axe.mjs";
import { ADMINISTRATOR, Clinic, DESK, PASSWORD, PHONE, TECHNICIAN, VET } from "./support/clinic.mjs";
import { newApp } from "./support/one_time_code.mjs";
import { allAtTheClinic, button, day } from "./support/screens.mjs";

let clinic, audit, vet, app;

before(async () => {
  clinic = await Clinic.start({ patients: 20, years: 1, named: true });
  audit = new Audit();
});
after(() => clinic?.stop());

const look = (device, screen) => audit.look(device, screen);
const says = (device, words) => device.page.getByText(words, { exact: false }).first().waitFor();
const dialog = (device) => device.page.getByRole("dialog");
const heading = (device, name) => device.page.getByRole("heading", { name });
const codeField = (device) => device.page.locator("#code");
const shown = (device) => device.page.locator(".codes:visible");
const setting = (device, words) => device.page.locator("#factors .setting").filter({ hasText: words });
const address = (device) => new URL(device.page.url()).pathname;

async function prove(device) {
  await device.page.getByLabel("Your password").fill(PASSWORD);
  await device.page.keyboard.press("Enter");
}

async function keep(device) {
  await device.page.getByLabel("I have kept these codes where I find them again").check();
  await button(device, "Go on").click();
}

/** To Me as people go there: the way back leads to where they were. */
async function toMe(device) {
  await device.page.locator("a[href='/me']").first().click();
  await setting(device, "Authenticator app").waitFor();
}

/** The device locks, as it does by itself: another window of it is where nobody sees this one. */
async function lockFromElsewhere(device) {
  const other = Object.create(device, { page: { value: await device.context.newPage() } });
  other.watch(other.page);
  await other.goto("/me");
  await button(other, "Lock").last().click();
  await device.page.locator("main.lock").waitFor();
  await other.page.close();
}

/** The clinic does it, and its answer is lost on the way, once. */
async function loseAnswer(device, path) {
  let lost = 0;
  await device.context.route(`**/api/v1${path}`, async (route) => {
    if (lost > 0) return route.continue();
    lost += 1;
    await route.fetch();
    return route.abort("connectionfailed");
  });
}

test("the browser’s way back leaves no codes that nobody has kept", async () => {
  vet = await clinic.profile();
  await vet.signIn(VET);
  await day(vet).waitFor();
  await toMe(vet);
  await vet.page.getByRole("button", { name: "Set up: Authenticator app" }).click();
  await prove(vet);
  app = await newApp(vet);
  await codeField(vet).fill(await app.code());
  await shown(vet).waitFor();
  for (const way of ["back", "back", "forward"]) {
    await vet.page.evaluate((way) => history[way](), way);
    if (way === "forward") continue;
    await says(vet, "Keep them first, then tick this");
    await vet.page.getByLabel("I have kept these codes where I find them again").check();
    await vet.page.getByLabel("I have kept these codes where I find them again").uncheck();
    await vet.page.getByText("Keep them first, then tick this").waitFor({ state: "detached" });
  }
  assert.equal(await shown(vet).locator("code").count(), 10);
  assert.equal(address(vet), "/me");
  await look(vet, "codes, held");
  await keep(vet);
  await says(vet, "Your authenticator app is set up");
  // From then on it is a way again.
  await vet.page.evaluate(() => history.back());
  await day(vet).waitFor();
  assert.equal(address(vet), "/");
});

test("a device that locks takes them off the screen, and whoever is back makes new ones right there", async () => {
  await toMe(vet);
  await allAtTheClinic(vet);
  await vet.page.getByRole("button", { name: "New codes: Recovery codes" }).click();
  await prove(vet);
  await codeField(vet).fill(await app.code());
  await shown(vet).waitFor();
  const former = await shown(vet).locator("code").allInnerTexts();
  await lockFromElsewhere(vet);
  assert.equal(await vet.page.locator(".codes").count(), 0, "nothing of it is on a locked screen");
  await look(vet, "locked after codes");

  // A colleague who takes the tablet has lost nothing.
  await vet.enter(DESK);
  await vet.page.locator(".side").waitFor();
  await allAtTheClinic(vet);
  assert.equal(await dialog(vet).count(), 0);
  await vet.page.locator(".side__me").getByRole("button", { name: "Lock" }).click();
  await vet.unlock(PASSWORD, /Ana Moreno/);
  await heading(vet, "Your recovery codes are not kept").waitFor();
  await look(vet, "unlocked, codes are not kept");
  await dialog(vet).getByRole("button", { name: "Not now" }).click();
  await dialog(vet).waitFor({ state: "detached" });
  await vet.page.locator("a[href='/me']").first().click();
  await setting(vet, "Recovery codes").getByText("You have not kept them.").waitFor();
  await look(vet, "me, codes are not kept");
  await vet.page.getByRole("button", { name: "New codes: Recovery codes" }).click();
  await prove(vet);
  await codeField(vet).fill(await app.code());
  await shown(vet).waitFor();
  assert.ok((await shown(vet).locator("code").allInnerTexts()).every((code) => !former.includes(code)));
  await keep(vet);
  await setting(vet, "Recovery codes").getByText("For the day when you lose your phone.").waitFor();
});

test("codes that were on their way as it locked are made anew", async () => {
  let holds = true;
  let arrive;
  const held = new Promise((resolve) => (arrive = resolve));
  await vet.context.route("**/api/v1/me/recovery-codes", async (route) => {
    if (!holds) return route.continue();
    await route.fetch();
    await held;
    return route.abort();
  });
  await vet.page.getByRole("button", { name: "New codes: Recovery codes" }).click();
  await button(vet, "Make new codes").click();
  await says(vet, "Asking the clinic…");
  await lockFromElsewhere(vet);
  holds = false;
  arrive();
  await vet.unlock(PASSWORD, /Ana Moreno/);
  await heading(vet, "You may have recovery codes that you have not seen").waitFor();
  await look(vet, "unlocked, codes were not seen");
  await button(vet, "Make new codes").click();
  await prove(vet);
  await codeField(vet).fill(await app.code());
  await shown(vet).waitFor();
  await keep(vet);
  await says(vet, "You have new recovery codes");
  await dialog(vet).waitFor({ state: "detached" });
  await vet.close();
});

test("whoever does not hear that their first passkey is made is led to the codes that came with it", async () => {
  const desk = await clinic.profile(PHONE);
  const debug = await desk.context.newCDPSession(desk.page);
  await debug.send("WebAuthn.enable");
  const options = {
    protocol: "ctap2",
    transport: "internal",
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  await debug.send("WebAuthn.addVirtualAuthenticator", { options });
  await desk.signIn(DESK);
  await allAtTheClinic(desk);
  await desk.goto("/me");
  await desk.page.getByRole("button", { name: "Add one: Passkeys" }).click();
  await prove(desk);
  await loseAnswer(desk, "/me/passkeys/finish");
  await dialog(desk).getByLabel("Name", { exact: true }).fill("My phone");
  await button(desk, "Make the passkey").click();
  await says(desk, "the passkey may be made already");
  await look(desk, "a passkey, the answer was lost");
  await button(desk, "Make new codes").click();
  await prove(desk);
  await button(desk, "Use a passkey").click();
  await shown(desk).waitFor();
  await keep(desk);
  await says(desk, "You have new recovery codes");
  await setting(desk, "Passkey “My phone”").waitFor();
  await setting(desk, "Recovery codes").getByText("10 left").waitFor();

  // Where it was not done, the same way tells so.
  await desk.page.getByRole("button", { name: "Take away: Passkey “My phone”" }).click();
  await dialog(desk).getByRole("button", { name: "Take away" }).click();
  await setting(desk, "Recovery codes").waitFor({ state: "detached" });
  await desk.context.route("**/api/v1/me/passkeys/finish", (route) => route.abort("connectionfailed"));
  await desk.page.getByRole("button", { name: "Add one: Passkeys" }).click();
  // The factor that is gone has ended what was shown with it.
  const name = dialog(desk).getByLabel("Name", { exact: true });
  await name.or(desk.page.getByLabel("Your password")).waitFor();
  if (!(await name.isVisible())) await prove(desk);
  await name.fill("Another");
  await button(desk, "Make the passkey").click();
  await button(desk, "Make new codes").click();
  await prove(desk);
  await says(desk, "So it was not done");
  await look(desk, "no codes to be made");
  await desk.close();
});

test("whoever sets an app up on the way in and hears nothing of it makes new codes once they are in", async () => {
  const administrator = await clinic.profile();
  await administrator.signIn(ADMINISTRATOR);
  await allAtTheClinic(administrator);
  await administrator.goto("/staff");
  await administrator.page.getByRole("switch", { name: "Ask staff for a second step" }).click();
  await prove(administrator);
  await says(administrator, "From the next sign-in on, staff are asked for a second step");

  const technician = await clinic.profile(PHONE);
  await technician.signIn(TECHNICIAN);
  const theirs = await newApp(technician);
  await loseAnswer(technician, "/sign-in/totp/confirm");
  await codeField(technician).fill(await theirs.code());
  await says(technician, "It may be done all the same");
  // What is said of a later try says nothing of that one.
  await technician.context.route("**/api/v1/sign-in/totp/confirm", (route) =>
    route.fulfill({ status: 429, headers: { "retry-after": "1" } }),
  );
  await codeField(technician).fill("");
  await codeField(technician).fill(await theirs.code());
  await technician.page.getByRole("alert").filter({ hasText: "You can try again in" }).waitFor();
  await look(technician, "set up on the way in, the answer was lost");
  await button(technician, "Back to signing in").click();
  await technician.enter(TECHNICIAN);
  await heading(technician, "One more step").waitFor();
  await codeField(technician).fill(await theirs.code());
  await heading(technician, "You may have recovery codes that you have not seen").waitFor();
  await look(technician, "on the way in, codes were not seen");
  await button(technician, "Make new codes").click();
  await prove(technician);
  await codeField(technician).fill(await theirs.code());
  await shown(technician).waitFor();
  await keep(technician);
  await says(technician, "You have new recovery codes");
  await technician.close();

  // What is taken away says what it is, and looks like it.
  await administrator.page.getByRole("main").getByRole("link", { name: /Tomas Kral|Tomáš Král/ }).click();
  await administrator.page.getByRole("button", { name: "Take it away" }).click();
  const takes = dialog(administrator).getByRole("button", { name: "Take the second step away" });
  assert.match(await takes.getAttribute("class"), /btn--danger/);
  await look(administrator, "the second step is taken away");
  assert.equal(await dialog(administrator).getByRole("button", { name: "Go on" }).count(), 0);
  await administrator.close();
});

test("every screen of it can be used by everybody", () => assert.deepEqual(audit.lines(), []));

test("no page complained", () => {
  for (const profile of clinic.profiles) assert.deepEqual(profile.troubles, []);
});
