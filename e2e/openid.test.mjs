// Signing in with a provider: to a real one and back, in one tab.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Audit } from "./support/axe.mjs";
import { ADMINISTRATOR, Clinic, DESK, PASSWORD, PHONE, TECHNICIAN, VET } from "./support/clinic.mjs";
import { Issuer, signInThere } from "./support/issuer.mjs";
import { Mailbox } from "./support/mails.mjs";
import { newApp } from "./support/one_time_code.mjs";
import { allAtTheClinic, button, day } from "./support/screens.mjs";

let issuer, other, clinic, audit;
/** What was in addresses on the way: worth nothing without what the client keeps, and still in no log. */
const codes = new Set();
let ways = 0;

before(async () => {
  [issuer, other] = [await Issuer.listen(), await Issuer.listen("Borough")];
  const env = { OPENID: JSON.stringify([issuer.setting(), other.setting()]) };
  clinic = await Clinic.start({ patients: 20, years: 1, env, elsewhere: "http://localhost:" });
  for (const one of [issuer, other]) one.serve(clinic.address);
  audit = new Audit();
});

after(async () => {
  await clinic?.stop();
  await issuer?.stop();
  await other?.stop();
});

const path = (device) => new URL(device.page.url()).pathname + new URL(device.page.url()).hash;
const withAcme = (device) => button(device, "Sign in with Acme");
const linked = (device) => device.page.locator(".setting").filter({ hasText: "Acme" });

/** Signs in at the provider; what the browser carries in addresses meanwhile is noted. */
async function there(device, name, again) {
  const note = (response) => {
    const addresses = `${response.url()} ${response.headers().location ?? ""}`;
    for (const [, code] of addresses.matchAll(/(?:[?&](?:code|state)=|signed-in#)([\w-]+)/g)) codes.add(code);
  };
  ways += 1;
  device.page.on("response", note);
  await signInThere(device.page, name, again);
  await device.page.waitForURL((url) => url.href.startsWith(clinic.address));
  device.page.off("response", note);
}

/** On the way to link it, as far as the provider. */
async function link(device) {
  await button(device, "Link Acme").click();
  await device.page.getByLabel("Your password").fill(PASSWORD);
  await button(device, "Go on with Acme").click();
}

const look = (device, screen) => audit.look(device, screen, { fullPage: true });

/** Shows with the password who it is that asks for it. */
async function prove(device) {
  await device.page.getByLabel("Your password").fill(PASSWORD);
  await device.page.keyboard.press("Enter");
}

/** Shows it at the provider, where there is no password. */
async function proveThere(device, name, provider = "Acme") {
  await device.page.getByRole("dialog").getByRole("button", { name: `Go on with ${provider}` }).click();
  await there(device, name, true);
}

let vet;

test("whoever is not linked shows once which account is theirs, and is in", async () => {
  vet = await clinic.profile();
  await vet.goto("/clients");
  await withAcme(vet).waitFor();
  await look(vet, "sign in");
  await withAcme(vet).click();
  await there(vet, "ana");
  await vet.page.getByText("Your Acme account is not linked yet").waitFor();
  assert.equal(path(vet), "/clients", "where they were, and no code is in the address bar");
  assert.equal(await vet.page.getByLabel("Email").inputValue(), "ana@acme.example");
  await look(vet, "not linked");
  await vet.page.getByLabel("Email").fill(VET);
  await vet.page.getByLabel("Your password").fill("a wrong one");
  await button(vet, "Link and sign in").click();
  await vet.page.getByText("That email and password do not go together").waitFor();
  await vet.page.getByLabel("Your password").fill(PASSWORD);
  await vet.page.keyboard.press("Enter");
  await vet.page.getByRole("heading", { name: "Clients", exact: true }).waitFor();
  assert.equal(path(vet), "/clients");
  await allAtTheClinic(vet);
});

test("from then on the provider is enough", async () => {
  await vet.goto("/me");
  await linked(vet).getByText(/^ana@acme\.example, since \d/).waitFor();
  await look(vet, "me");
  await button(vet, "Sign out").click();
  await withAcme(vet).click();
  await button(vet, "Take away: Acme").waitFor();
  assert.equal(path(vet), "/me", "back to where they were");
  await vet.page.goBack();
  assert.ok(!vet.page.url().includes("signed-in"), "the way there is no page to go back to");
  const kept = await vet.page.evaluate(() => JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }));
  assert.ok(!/verifier|refresh|access/.test(kept), kept);
});

test("a way that began elsewhere leads nowhere", async () => {
  const stranger = await clinic.profile();
  await stranger.goto(`/signed-in#${"A".repeat(43)}`);
  await stranger.page.getByText("This page has nothing to go on with").waitFor();
  assert.equal(path(stranger), "/");
  await look(stranger, "nothing to go on with");
  await button(stranger, "Sign in").click();
  await withAcme(stranger).click();
  await stranger.page.getByRole("link", { name: /Cancel|Abort/ }).click();
  await stranger.page.getByText("You were not let in there").waitFor();
  await look(stranger, "not let in");
  await stranger.close();
});

test("whoever is signed in links it under Me, and takes it away again", async () => {
  const desk = await clinic.profile(PHONE);
  await desk.signIn(DESK);
  await allAtTheClinic(desk);
  await desk.goto("/me");
  const mailbox = new Mailbox(clinic, DESK);
  await button(desk, "Link Acme").click();
  await look(desk, "the password once more");
  await desk.page.getByLabel("Your password").fill("a wrong one");
  await button(desk, "Go on with Acme").click();
  await desk.page.getByText("This is not your password").waitFor();
  await desk.page.getByLabel("Your password").fill(PASSWORD);
  await desk.page.keyboard.press("Enter");
  await there(desk, "jana");
  await desk.page.getByText("Acme is linked").waitFor();
  assert.equal(path(desk), "/me");
  await linked(desk).getByText("jana@acme.example").waitFor();
  assert.match(await mailbox.next(), /sign in to your account with Acme/);
  await look(desk, "me");
  await button(desk, "Take away: Acme").click();
  await desk.page.getByRole("dialog").getByText("Take Acme away?").waitFor();
  await look(desk, "take away");
  await prove(desk);
  await desk.page.getByText("Acme is taken away").waitFor();
  await button(desk, "Link Acme").waitFor();
  await button(desk, "Sign out").click();
  await withAcme(desk).click();
  await desk.page.getByText("Your Acme account is not linked yet").waitFor();
  await look(desk, "not linked");
  await desk.close();
});

test("whoever comes back to a page that has locked meanwhile unlocks it, and it is linked", async () => {
  const desk = await clinic.profile();
  await desk.signIn(DESK);
  await allAtTheClinic(desk);
  await desk.goto("/me");
  await link(desk);
  await desk.page.waitForURL(/^http:\/\/localhost:/);
  // What keeps the key for a page that is loaded anew forgets it, as it does after a quarter of a minute.
  const browser = await desk.context.newCDPSession(desk.page);
  const stopped = new Promise((resolve) => {
    browser.on("ServiceWorker.workerVersionUpdated", ({ versions }) => {
      const isStopped = ({ runningStatus }) => runningStatus === "stopped";
      if (versions.length > 0 && versions.every(isStopped)) {
        resolve();
      }
    });
  });
  await browser.send("ServiceWorker.enable");
  await browser.send("ServiceWorker.stopAllWorkers");
  await stopped;
  await there(desk, "jana");
  await desk.page.locator("main.lock").waitFor();
  await desk.unlock();
  await desk.page.getByText("Acme is linked").waitFor();
  assert.equal(path(desk), "/me");
  await linked(desk).getByText("jana@acme.example").waitFor();
  await button(desk, "Take away: Acme").click();
  await prove(desk);
  await button(desk, "Link Acme").waitFor();
  await desk.close();
});

test("an account of the provider's belongs to one account here", async () => {
  const tomas = await clinic.profile();
  await tomas.signIn(TECHNICIAN);
  await allAtTheClinic(tomas);
  await tomas.goto("/me");
  await link(tomas);
  await there(tomas, "ana");
  await tomas.page.getByText("It belongs to another account here").waitFor();
  await button(tomas, /^Go on as/).click();
  await button(tomas, "Link Acme").waitFor();
  await tomas.close();
});

test("somebody who was invited joins with the provider, and needs no password", async () => {
  const administrator = await clinic.profile();
  await administrator.signIn(ADMINISTRATOR);
  await day(administrator).waitFor();
  await administrator.goto("/staff");
  const email = "karin.berg@example.org";
  const mailbox = new Mailbox(clinic, email);
  await button(administrator, /^Invite a colleague/).click();
  const dialog = administrator.page.getByRole("dialog");
  await dialog.getByLabel("Full name").fill("Karin Berg");
  await dialog.getByLabel("Email").fill(email);
  await button(administrator, "Send the invitation").click();
  const karin = await clinic.profile(PHONE);
  await karin.page.goto(await mailbox.link());
  await button(karin, "Join with Acme").waitFor();
  await look(karin, "invitation");
  await button(karin, "Join with Acme").click();
  await there(karin, "karin");
  await allAtTheClinic(karin);
  await karin.goto("/me");
  await linked(karin).getByText("karin@acme.example").waitFor();
  await karin.page.getByText("You have none, as you sign in with a linked account").waitFor();
  await look(karin, "me without a password");
  // Nothing is said of what is not known yet, and nobody is sent for a password that they need not have.
  const away = (route) => route.fulfill({ status: 503, body: "" });
  await karin.context.route("**/api/v1/openid/providers", away);
  await karin.page.reload();
  await karin.page.locator("h2:text-is('Linked accounts') + .alert").getByText("cannot be reached").waitFor();
  assert.ok(await button(karin, "Choose one").isDisabled());
  assert.equal(await karin.page.getByText("Choose a password first").count(), 0);
  await look(karin, "me, providers not known");
  await karin.context.unroute("**/api/v1/openid/providers", away);
  await button(karin, "Try again").click();
  // Another one is linked by whoever signs in at the first one once more.
  await button(karin, "Link Borough").click();
  await look(karin, "link another one by way of a provider");
  await proveThere(karin, "karin");
  await karin.page.waitForURL((url) => url.href.startsWith(other.address));
  await there(karin, "karin.work");
  await karin.page.getByText("Borough is linked").waitFor();
  await karin.page.getByText("karin.work@borough.example").waitFor();
  // Each that is linked shows who they are.
  await button(karin, "Take away: Borough").click();
  const ways = karin.page.getByRole("dialog").getByRole("button", { name: /^Go on with/ });
  assert.deepEqual(await ways.allInnerTexts(), ["Go on with Acme", "Go on with Borough"]);
  await look(karin, "take away, by way of either provider");
  await proveThere(karin, "karin.work", "Borough");
  await karin.page.getByText("Borough is taken away").waitFor();
  await button(karin, "Link Borough").waitFor();
  // Whoever has just shown who they are is asked no more than whether they mean it.
  await button(karin, "Take away: Acme").click();
  await look(karin, "take away, having shown who it is");
  await button(karin, "Take away").click();
  await karin.page.getByText("You could not sign in any more").waitFor();
  await karin.page.keyboard.press("Escape");

  // Once more after a reload. From then on the app is asked for, after the provider too.
  await karin.page.reload();
  await button(karin, "Set up: Authenticator app").click();
  await look(karin, "set up an app by way of a provider");
  await proveThere(karin, "karin");
  const app = await newApp(karin);
  await look(karin, "set up an app behind the door");
  await karin.page.locator("#code").fill(await app.code());
  await karin.page.locator(".codes:visible").waitFor();
  await button(karin, "Go on as Karin Berg").click();
  await karin.page.getByText("Keep them first, then tick this").waitFor();
  await look(karin, "recovery codes behind the door");
  await karin.page.getByLabel("I have kept these codes where I find them again").check();
  await karin.page.getByRole("button", { name: "Go on", exact: true }).click();
  await karin.page.getByText("Your authenticator app is set up").waitFor();
  await button(karin, "Sign out").click();
  await withAcme(karin).click();
  await karin.page.getByRole("heading", { name: "One more step" }).waitFor();
  await look(karin, "one more step after a provider");
  await karin.page.locator("#code").fill(await app.code());

  // Nobody has to have had a password to choose one.
  await button(karin, "Choose one").click();
  await look(karin, "choose a password by way of a provider");
  await proveThere(karin, "karin");
  await karin.page.getByRole("heading", { name: "One more step" }).waitFor();
  await karin.page.locator("#code").fill(await app.code());
  await look(karin, "choose a password behind the door");
  await karin.page.getByLabel("New password").fill("cellar bicycle 7 mango");
  await button(karin, "Save the password").click();
  await karin.page.getByText("You have a password now").waitFor();
  await button(karin, "Change: Password").waitFor();
  await karin.close();
  await administrator.close();
});

test("nothing went wrong that nobody saw", () => {
  assert.deepEqual([...issuer.troubles, ...other.troubles], []);
  assert.deepEqual(audit.lines(), []);
  const troubles = clinic.profiles.flatMap((profile) => profile.troubles);
  assert.deepEqual(troubles, []);
  // Of each way the state, the provider's code and our own.
  assert.equal(codes.size, 3 * ways);
  for (const secret of [...codes, "known there alone", "a secret between", "code_verifier"]) {
    assert.ok(!clinic.log.includes(secret), secret);
  }
});
