// A clinic's morning through a dead server, in two browsers with profiles of their own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Clinic, DESK, VET } from "./support/clinic.mjs";

let clinic, desk, vet, tech, visit;

before(async () => {
  clinic = await Clinic.start({ patients: 60 });
  [desk, vet] = [await clinic.profile(), await clinic.profile()];
});

after(async () => await clinic?.stop());

const day = (device) => device.page.getByRole("region", { name: "The day by vet" });
const status = (device) => device.page.locator("button.status");
const section = (device, name) => device.page.getByRole("textbox", { name, exact: true });

const weight = (device) => device.page.getByRole("textbox", { name: /^Weight/ }).first();

/** Until the status says that everything written here is at the clinic. */
const allAtTheClinic = (device) => status(device).filter({ hasText: "At the clinic" }).waitFor();

test("both sign in and see the day in progress", async () => {
  await desk.signIn(DESK);
  await day(desk).waitFor();
  await vet.signIn(VET);
  await day(vet).waitFor();
  await allAtTheClinic(desk);
  await allAtTheClinic(vet);
});

test("the desk registers a client with a pet and books, and the vet finds the pet", async () => {
  await desk.page.getByRole("button", { name: "New client" }).click();
  const client = desk.page.getByRole("dialog", { name: "New client" });
  await client.getByLabel("Given name").fill("Šárka");
  await client.getByLabel("Family name").fill("Horáčková");
  await client.getByLabel("Phone").first().fill("+420 700 100 200");
  await client.getByLabel("Name", { exact: true }).fill("Bublinka");
  await client.getByRole("button", { name: "Save and book" }).click();
  const booking = desk.page.getByRole("dialog", { name: "Book an appointment" });
  await booking.getByText("Bublinka").waitFor();
  // The last days of the strip are open and have room, whatever time it is now.
  await booking.getByRole("radio", { name: /free/ }).last().click();
  await booking.locator(".slot").first().click();
  await booking.getByLabel("Reason").fill("Not eating");
  await booking.getByRole("button", { name: /^Book/ }).click();
  await desk.page.getByText(/Bublinka is booked/).waitFor();
  await allAtTheClinic(desk);

  await vet.page.keyboard.press("Control+k");
  await vet.page.getByRole("combobox").fill("bubl horac");
  await vet.page.getByRole("option", { name: /Bublinka/ }).first().waitFor();
  await vet.page.keyboard.press("Escape");
});

test("the server dies, the vet reloads and writes; the desk writes too", async () => {
  // Both look at the same visit before the network goes.
  await vet.page.getByRole("button", { name: /^Start Rex/ }).first().click();
  await section(vet, "History").fill("Vomited four times overnight.");
  await allAtTheClinic(vet);
  visit = new URL(vet.page.url()).pathname;
  tech = await clinic.profile();
  await tech.signIn("tomas.kral@northgate.example");
  await day(tech).waitFor();
  await tech.goto(visit);
  await section(tech, "History").waitFor();

  await clinic.kill();
  for (const device of [desk, vet, tech]) await status(device).filter({ hasText: "Offline" }).waitFor();

  await vet.page.reload();
  await section(vet, "History").waitFor();
  assert.equal(await section(vet, "History").inputValue(), "Vomited four times overnight.");
  await section(vet, "History").press("End");
  await section(vet, "History").pressSequentially(" Drinks and keeps it down.");
  await section(vet, "Assessment").fill("Acute gastritis.");
  await weight(vet).fill("19.1");
  await weight(vet).press("Enter");
  await vet.page.locator(".saved").filter({ hasText: "Saved here" }).waitFor();
  await status(vet).filter({ hasText: /saved on this/ }).waitFor();

  // The technician, offline as well, types into the same note; the desk edits a client.
  await section(tech, "History").press("Home");
  await section(tech, "History").pressSequentially("Ate part of a rope toy. ");
  await tech.page.locator(".saved").filter({ hasText: "Saved here" }).waitFor();

  await desk.page.keyboard.press("Control+k");
  await desk.page.getByRole("combobox").fill("horackova");
  await desk.page.getByRole("option", { name: /^Šárka Horáčková/ }).first().click();
  await desk.page.getByRole("button", { name: /^Edit/ }).click();
  const dialog = desk.page.getByRole("dialog");
  await dialog.getByLabel("Address").fill("Lipová 4, Brno");
  await dialog.getByRole("button", { name: /^Save/ }).click();
  await desk.page.getByText("Lipová 4, Brno").first().waitFor();
  await status(desk).filter({ hasText: /Offline.*1 saved on this/ }).waitFor();
});

test("the server returns, and all screens converge without a reload", async () => {
  await clinic.revive();
  for (const device of [desk, vet, tech]) await allAtTheClinic(device);
  const both = "Ate part of a rope toy. Vomited four times overnight. Drinks and keeps it down.";
  for (const device of [vet, tech]) {
    await device.page.waitForFunction(
      ([label, text]) => document.querySelector(`textarea[aria-label="${label}"]`)?.value === text,
      ["History", both],
    );
  }
  await tech.page.getByText("Acute gastritis.").waitFor();
  assert.equal(await weight(tech).inputValue(), "19.1");
});

test("a browser that is killed while typing has everything that the screen had called saved", async () => {
  const plan = section(vet, "Plan");
  await plan.fill("Maropitant 1 mg/kg s.c.");
  await vet.page.locator(".saved").filter({ hasText: /Saved here|At the clinic/ }).waitFor();
  await allAtTheClinic(vet);
  await clinic.kill();
  await status(vet).filter({ hasText: "Offline" }).waitFor();
  await plan.press("End");
  await plan.pressSequentially(" Bland diet.");
  await status(vet).filter({ hasText: /saved on this/ }).waitFor();
  await vet.page.locator('.saved:not([data-state="writing"])').waitFor();
  const saved = await plan.inputValue();
  await vet.kill();
  await vet.open();
  await vet.goto(visit);
  await section(vet, "Plan").waitFor();
  assert.equal(await section(vet, "Plan").inputValue(), saved);
  await clinic.revive();
  await allAtTheClinic(vet);
});

test("nothing on any page broke the rules", () => {
  assert.deepEqual([...desk.troubles, ...vet.troubles, ...tech.troubles], []);
});
