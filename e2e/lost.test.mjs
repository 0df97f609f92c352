// A device that was reported lost, in a real browser with its private files.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADMINISTRATOR, Clinic, TECHNICIAN } from "./support/clinic.mjs";
import { allAtTheClinic, day } from "./support/screens.mjs";

let clinic, administrator, technician;

before(async () => {
  clinic = await Clinic.start({ patients: 40 });
  administrator = await clinic.profile();
  await administrator.signIn(ADMINISTRATOR);
  technician = await clinic.profile();
  await technician.signIn(TECHNICIAN);
  for (const device of [administrator, technician]) await day(device).waitFor();
  await allAtTheClinic(technician);
});

after(async () => await clinic?.stop());

test("a device that is reported lost deletes its records at once, and says so to the clinic", async () => {
  const { page } = administrator;
  await administrator.goto("/staff");
  await page.getByRole("link", { name: /Tomas Kral/ }).click();
  const device = page.locator(".device").first();
  await device.getByRole("button", { name: /^More about/ }).click();
  await page.getByRole("menuitem", { name: /lost/i }).click();
  await page.getByRole("dialog").getByRole("button", { name: /lost/i }).click();

  await technician.page.getByRole("textbox", { name: "Email" }).waitFor();
  assert.equal(await technician.page.getByText(/Rex|Novak/).count(), 0);
  await technician.page.reload();
  await technician.page.getByRole("textbox", { name: "Email" }).waitFor();
  await administrator.goto("/staff");
  await page.getByRole("link", { name: /Tomas Kral/ }).click();
  await page.locator(".device").first().getByText(/Its records were deleted/).waitFor();
  assert.deepEqual(technician.troubles, []);
});
