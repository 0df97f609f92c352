// A clinic's morning through a dead server, in browsers with profiles of their own; once on each of the two databases.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Clinic, DESK, TECHNICIAN, VET } from "./support/clinic.mjs";
import { freshDatabase, stopCluster } from "./support/postgres.mjs";
import { allAtTheClinic, day, find, offline, reads, saved, section, startRex, status, weight } from "./support/screens.mjs";

const databases = { SQLite: async () => undefined, Postgres: freshDatabase };

for (const [name, database] of Object.entries(databases)) describe(name, () => morning(database));

after(stopCluster);

function morning(database) {
  let clinic, desk, vet, tech, visit;

  before(async () => {
    clinic = await Clinic.start({ patients: 40, databaseUrl: await database() });
    [desk, vet, tech] = [await clinic.profile(), await clinic.profile(), await clinic.profile()];
  });

  after(async () => await clinic?.stop());

  test("they sign in and see the day in progress", async () => {
    const comes = async (device, email) => {
      await device.signIn(email);
      await day(device).waitFor();
      await allAtTheClinic(device);
    };
    await Promise.all([comes(desk, DESK), comes(vet, VET), comes(tech, TECHNICIAN)]);
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
    // Vet and technician look at the same visit before the network goes.
    visit = await startRex(vet);
    await section(vet, "History").fill("Vomited four times overnight.");
    await allAtTheClinic(vet);
    await tech.goto(visit);
    await reads(tech, "History", "Vomited four times overnight.");

    await clinic.kill();
    for (const device of [desk, vet, tech]) await offline(device);

    await vet.page.reload();
    await section(vet, "History").waitFor();
    assert.equal(await section(vet, "History").inputValue(), "Vomited four times overnight.");
    await section(vet, "History").press("End");
    await section(vet, "History").pressSequentially(" Drinks and keeps it down.");
    await section(vet, "Assessment").fill("Acute gastritis.");
    await weight(vet).fill("19.1");
    await weight(vet).press("Enter");
    await saved(vet, "Saved here").waitFor();
    await status(vet).filter({ hasText: /saved on this/ }).waitFor();

    // The technician, offline as well, types into the same note; the desk edits a client.
    await section(tech, "History").press("Home");
    await section(tech, "History").pressSequentially("Ate part of a rope toy. ");
    await saved(tech, "Saved here").waitFor();

    await find(desk, "horackova", /^Šárka Horáčková/);
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
    for (const device of [vet, tech]) await reads(device, "History", both);
    await tech.page.getByText("Acute gastritis.").waitFor();
    assert.equal(await weight(tech).inputValue(), "19.1");
  });

  test("a browser that is killed while typing has everything that the screen had called saved", async () => {
    const plan = section(vet, "Plan");
    await plan.fill("Maropitant 1 mg/kg s.c.");
    await saved(vet, /Saved here|At the clinic/).waitFor();
    await allAtTheClinic(vet);
    await clinic.kill();
    await offline(vet);
    await plan.press("End");
    await plan.pressSequentially(" Bland diet.");
    await status(vet).filter({ hasText: /saved on this/ }).waitFor();
    await vet.page.locator('.saved:not([data-state="writing"])').waitFor();
    const called = await plan.inputValue();
    await vet.kill();
    await vet.open();
    await vet.goto(visit);
    await vet.unlock();
    await section(vet, "Plan").waitFor();
    assert.equal(await section(vet, "Plan").inputValue(), called);
    await clinic.revive();
    await allAtTheClinic(vet);
  });

  test("nothing on any page broke the rules", () => {
    assert.deepEqual([...desk.troubles, ...vet.troubles, ...tech.troubles], []);
  });
}
