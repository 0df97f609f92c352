// One's own account: whoever changes the password or the address shows who they are, once and with all that they sign in with.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Audit } from "./support/axe.mjs";
import { Clinic, DESK, PASSWORD, PHONE, TECHNICIAN, VET } from "./support/clinic.mjs";
import { Mailbox } from "./support/mails.mjs";
import { newApp } from "./support/one_time_code.mjs";
import { allAtTheClinic, button } from "./support/screens.mjs";

const NEW = "quince-fathom-41-sled";

let clinic, audit;

before(async () => {
  clinic = await Clinic.start({ patients: 20, years: 1 });
  audit = new Audit();
});
after(() => clinic?.stop());

const look = (device, screen, picture) => audit.look(device, screen, picture);
const says = (device, words) => device.page.getByText(words, { exact: false }).first().waitFor();
const dialog = (device) => device.page.getByRole("dialog");
const present = (device) => device.page.getByLabel("Your password");
/** Until this element has the focus. */
const focused = (device, selector) =>
  device.page.waitForFunction((selector) => document.activeElement?.matches(selector), selector);
const gone = (device, words) => device.page.getByText(words, { exact: false }).first().waitFor({ state: "detached" });

/** Shows with the password who it is; no mouse is needed for it. */
async function prove(device, password = PASSWORD) {
  await present(device).fill(password);
  await device.page.keyboard.press("Enter");
}

async function atMe(device, who) {
  await device.signIn(who);
  await allAtTheClinic(device);
  await device.goto("/me");
  await button(device, "Change: Password").waitFor();
}

test("the password is changed by who knows the present one, and the address a moment later without it", async () => {
  const desk = await clinic.profile();
  await atMe(desk, DESK);
  const former = new Mailbox(clinic, DESK);
  await button(desk, "Change: Password").click();
  await present(desk).waitFor();
  await focused(desk, "#password-now");
  await look(desk, "change the password, who it is");
  await desk.page.keyboard.press("Enter");
  await says(desk, "Password is missing");
  await present(desk).fill("a wrong one");
  // With the mouse: the field has the focus again all the same, and room for the next.
  await button(desk, "Go on").click();
  await says(desk, "This is not your password");
  await focused(desk, "#password-now");
  assert.equal(await present(desk).inputValue(), "");
  await desk.page.keyboard.type("l");
  await gone(desk, "This is not your password");
  await prove(desk);
  const field = desk.page.getByLabel("New password");
  await field.waitFor();
  await focused(desk, "#password-new");
  assert.equal(await present(desk).count(), 0, "it is typed once");
  await field.fill("short");
  await desk.page.keyboard.press("Enter");
  await says(desk, "At least 8 characters");
  await field.fill("password123");
  await button(desk, "Save the password").click();
  await says(desk, "This password is among the first that are tried");
  await focused(desk, "#password-new");
  await look(desk, "change the password, a weak one");
  await desk.page.keyboard.press("End");
  await desk.page.keyboard.type("4");
  await gone(desk, "This password is among the first that are tried");
  await field.fill(NEW);
  await desk.page.keyboard.press("Enter");
  await dialog(desk).waitFor({ state: "detached" });
  await says(desk, "Password changed");
  assert.match(await former.next(), /password/i);

  const mailbox = new Mailbox(clinic, "jana@example.org");
  await button(desk, "Change: Email").click();
  await desk.page.getByLabel("New address").waitFor();
  assert.equal(await present(desk).count(), 0, "they have just shown who they are");
  await look(desk, "change the address");
  await desk.page.keyboard.press("Enter");
  await says(desk, "New address is missing");
  await desk.page.getByLabel("New address").fill("jana@example.org");
  await desk.page.keyboard.press("Enter");
  await says(desk, "A mail is on its way to jana@example.org");
  await says(desk, "A new address waits");
  assert.match(await former.next(), /jana@example\.org/);
  await desk.page.goto(await mailbox.link());
  await says(desk, "Your address is verified");

  // Nothing of it outlives a page that is loaded anew.
  await desk.goto("/me");
  await says(desk, "jana@example.org");
  await button(desk, "Change: Email").click();
  await present(desk).waitFor();
  await desk.page.keyboard.press("Escape");
  await dialog(desk).waitFor({ state: "detached" });
  await desk.close();
});

test("whoever has a second factor shows it too, and an answer that was lost is not called nothing", async () => {
  const vet = await clinic.profile(PHONE);
  await atMe(vet, VET);
  await button(vet, "Set up: Authenticator app").click();
  await prove(vet);
  const app = await newApp(vet);
  let lost = 0;
  await vet.context.route("**/api/v1/me/totp/confirm", async (route) => {
    if (lost > 0) return route.continue();
    lost += 1;
    await route.fetch();
    return route.abort("connectionfailed");
  });
  const code = vet.page.locator("#code");
  await code.fill(await app.code());
  await says(vet, "The clinic cannot be reached");
  assert.equal(lost, 1);
  await code.fill("");
  await code.fill(await app.code());
  await says(vet, "it is done already and the answer was lost");
  await says(vet, "make new recovery codes");
  await look(vet, "an answer was lost");
  await dialog(vet).getByRole("button", { name: "Close" }).last().click();
  await vet.page.locator("#factors").getByText("On", { exact: true }).waitFor();

  // What had been shown without the app counts no more.
  await button(vet, "Change: Email").click();
  await look(vet, "change the address, who it is");
  await prove(vet);
  await vet.page.getByRole("heading", { name: "One more step" }).waitFor();
  await look(vet, "change the address, one more step");
  await code.fill(await app.code());
  await vet.page.getByLabel("New address").waitFor();
  await look(vet, "change the address");
  const mailbox = new Mailbox(clinic, "ana@example.org");
  await vet.page.getByLabel("New address").fill("ana@example.org");
  await button(vet, "Send the mail").click();
  await says(vet, "A mail is on its way to ana@example.org");

  // Asked no more than whether they mean it.
  await button(vet, "New codes: Recovery codes").click();
  await look(vet, "new codes, having shown who it is");
  // While they are on their way, and until they are kept, nobody leaves by chance.
  let arrive;
  const held = new Promise((resolve) => (arrive = resolve));
  await vet.context.route("**/api/v1/me/recovery-codes", async (route) => {
    const response = await route.fetch();
    await held;
    return route.fulfill({ response });
  });
  await button(vet, "Make new codes").click();
  await says(vet, "Asking the clinic…");
  await vet.page.keyboard.press("Escape");
  await dialog(vet).getByRole("button", { name: "Close" }).click();
  arrive();
  const codes = vet.page.locator(".codes:visible");
  await codes.waitFor();
  await focused(vet, ".codes");
  assert.equal(await dialog(vet).getByRole("heading", { name: "Recovery codes", exact: true }).count(), 0, "said above");
  await look(vet, "new codes");
  const keptFirst = vet.page.getByText("Keep them first, then tick this");
  await vet.page.keyboard.press("Escape");
  await keptFirst.waitFor();
  await focused(vet, "#codes-kept");
  assert.ok(await codes.isVisible());
  await look(vet, "new codes, leaving before they are kept");
  await vet.page.keyboard.press("Space");
  await keptFirst.waitFor({ state: "detached" });
  await vet.page.keyboard.press("Space");
  await dialog(vet).getByRole("button", { name: "Close" }).click();
  await keptFirst.waitFor();
  assert.ok(await codes.isVisible());

  // What is called copied is.
  const answers = (answer) =>
    vet.page.evaluate((answer) => (navigator.clipboard.writeText = () => Promise[answer]()), answer);
  await answers("reject");
  await button(vet, "Copy").click();
  await says(vet, "They could not be copied");
  await look(vet, "new codes, not copied");
  await vet.page.evaluate(() => delete navigator.clipboard.writeText);
  await vet.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await button(vet, "Copy").click();
  await says(vet, "Copied");
  const copied = await vet.page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, (await codes.locator("code").allInnerTexts()).join("\n"));
  await vet.page.getByLabel("I have kept these codes where I find them again").check();
  // By now leaving is going on.
  await vet.page.keyboard.press("Escape");
  await says(vet, "You have new recovery codes");
  await dialog(vet).waitFor({ state: "detached" });

  // The address that waits is left.
  const waits = vet.page.locator(".setting").filter({ hasText: "A new address waits" });
  await look(vet, "me, an address waits", { fullPage: true });
  await button(vet, "Leave it: A new address waits").click();
  await says(vet, "Your address stays as it is");
  await waits.waitFor({ state: "detached" });
  await vet.page.goto(await mailbox.link());
  await says(vet, "This link no longer works");
  await vet.close();
});

test("whoever guesses passwords there waits, sees how long, and asks no more meanwhile", async () => {
  const phone = await clinic.profile(PHONE);
  await atMe(phone, TECHNICIAN);
  let asked = 0;
  let wait = 60;
  await phone.context.route("**/api/v1/me/prove", (route) => {
    asked += 1;
    return wait ? route.fulfill({ status: 429, headers: { "retry-after": String(wait) } }) : route.continue();
  });
  await button(phone, "Change: Password").click();
  await prove(phone);
  const alert = phone.page.getByRole("alert").filter({ hasText: /You can try again in 0:5\d/ });
  await alert.waitFor();
  await look(phone, "who it is, slowed down");
  await phone.page.keyboard.press("Enter");
  assert.equal(await button(phone, "Go on").getAttribute("aria-disabled"), "true");
  // It runs down.
  await phone.page.getByRole("alert").filter({ hasText: "0:56" }).waitFor();
  assert.equal(asked, 1);
  await phone.page.keyboard.press("Escape");
  wait = 2;
  await button(phone, "Change: Password").click();
  await prove(phone);
  await phone.page.getByRole("alert").filter({ hasText: "You can try again in" }).waitFor();
  await phone.page.getByRole("alert").waitFor({ state: "detached" });
  wait = 0;
  await phone.page.keyboard.press("Enter");
  const field = phone.page.getByLabel("New password");
  await field.waitFor();
  assert.equal(asked, 3);
  await phone.page.keyboard.press("Escape");

  // The same where it is tried again by a button.
  await phone.context.route("**/api/v1/me/totp/begin", (route) => {
    asked += 1;
    return asked > 4 ? route.continue() : route.fulfill({ status: 429, headers: { "retry-after": "6" } });
  });
  await button(phone, "Set up: Authenticator app").click();
  await phone.page.getByRole("alert").filter({ hasText: "You can try again in" }).waitFor();
  await look(phone, "set up, slowed down");
  const again = dialog(phone).getByRole("button", { name: "Try again" });
  await again.press("Enter");
  assert.equal(asked, 4, "not before it is time");
  await phone.page.getByRole("alert").waitFor({ state: "detached" });
  await again.click();
  await phone.page.getByRole("img", { name: "QR code for your authenticator app" }).waitFor();
  assert.equal(asked, 5);
  await phone.page.getByText("It cannot be scanned").click();
  await phone.page.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject()));
  await button(phone, "Copy").click();
  await says(phone, "It could not be copied");
  await phone.page.evaluate(() => (navigator.clipboard.writeText = () => Promise.resolve()));
  await button(phone, "Copy").click();
  await says(phone, "Copied");
  await phone.page.keyboard.press("Escape");
  await dialog(phone).waitFor({ state: "detached" });
  await phone.close();
});

test("what counts no more is asked for once more, and what was typed is still there", async () => {
  const desk = await clinic.profile();
  await desk.signIn("jana@example.org", NEW);
  await allAtTheClinic(desk);
  await desk.goto("/me");
  await button(desk, "Change: Password").click();
  await prove(desk, NEW);
  const field = desk.page.getByLabel("New password");
  await field.fill("cellar bicycle 7 mango");
  // As after five minutes.
  let old = true;
  await desk.context.route("**/api/v1/me/password", (route) => {
    const body = { ...route.request().postDataJSON(), ...(old && { proven: "too old" }) };
    old = false;
    return route.continue({ postData: JSON.stringify(body) });
  });
  await desk.page.keyboard.press("Enter");
  await says(desk, "It is a while since you showed that it is you");
  await look(desk, "who it is, once more");
  await prove(desk, NEW);
  await field.waitFor();
  assert.equal(await field.inputValue(), "cellar bicycle 7 mango");
  await desk.page.keyboard.press("Enter");
  await says(desk, "Password changed");
  await desk.close();
});

test("every screen of it can be used by everybody", () => assert.deepEqual(audit.lines(), []));

test("no page complained, and no log has a secret", () => {
  for (const profile of clinic.profiles) assert.deepEqual(profile.troubles, []);
  // The server tells everybody the password of a demonstration.
  for (const secret of [NEW, "cellar bicycle 7 mango", "a wrong one"]) assert.ok(!clinic.log.includes(secret));
});
