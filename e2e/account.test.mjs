// One's own account: whoever changes the password or the address shows who they are, once and with all that they sign in with.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Audit } from "./support/axe.mjs";
import { Clinic, DESK, PASSWORD, PHONE, VET } from "./support/clinic.mjs";
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

const look = (device, screen) => audit.look(device, screen);
const says = (device, words) => device.page.getByText(words, { exact: false }).first().waitFor();
const dialog = (device) => device.page.getByRole("dialog");
const present = (device) => device.page.getByLabel("Your password");

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
  await desk.page.waitForFunction(() => document.activeElement?.id === "password-now");
  await look(desk, "change the password, who it is");
  await desk.page.keyboard.press("Enter");
  await says(desk, "Password is missing");
  await prove(desk, "a wrong one");
  await says(desk, "This is not your password");
  await prove(desk);
  const field = desk.page.getByLabel("New password");
  await field.waitFor();
  await desk.page.waitForFunction(() => document.activeElement?.id === "password-new");
  assert.equal(await present(desk).count(), 0, "it is typed once");
  await field.fill("short");
  await desk.page.keyboard.press("Enter");
  await says(desk, "At least 8 characters");
  await field.fill("password123");
  await desk.page.keyboard.press("Enter");
  await says(desk, "This password is among the first that are tried");
  await look(desk, "change the password, a weak one");
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
  await vet.page.getByLabel("New address").fill("ana@example.org");
  await button(vet, "Send the mail").click();
  await says(vet, "A mail is on its way to ana@example.org");

  // Asked no more than whether they mean it.
  await button(vet, "New codes: Recovery codes").click();
  await look(vet, "new codes, having shown who it is");
  await button(vet, "Make new codes").click();
  await vet.page.locator(".codes:visible").waitFor();
  await vet.page.getByLabel("I have kept these codes where I find them again").check();
  await button(vet, "Go on").click();
  await says(vet, "You have new recovery codes");
  await vet.close();
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
