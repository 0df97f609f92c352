// What the stories look at and wait for on the screens.
import assert from "node:assert/strict";

export const day = (device) => device.page.getByRole("region", { name: "The day by vet" });
export const status = (device) => device.page.locator("button.status");
export const section = (device, name) => device.page.getByRole("textbox", { name, exact: true });
export const saved = (device, words) => device.page.locator(".saved").filter({ hasText: words });
export const banner = (device, words) => device.page.locator(".banner").filter({ hasText: words });
export const weight = (device) => device.page.getByRole("textbox", { name: /^Weight/ }).first();
export const palette = (device) => device.page.getByRole("combobox", { name: "Find a pet, person, phone or chip" });
export const button = (device, name) => device.page.getByRole("button", { name, exact: true });
/** An animal's card on the day. */
export const card = (device, name) => device.page.locator(".appt__card").filter({ hasText: name }).first();

/** Until the status says that everything written here is at the clinic. */
export const allAtTheClinic = (device) => status(device).filter({ hasText: "At the clinic" }).waitFor();
export const offline = (device) => status(device).filter({ hasText: "Offline" }).waitFor();

/** Until the field of a section holds this text. */
export async function reads(device, name, text) {
  try {
    await device.page.waitForFunction(
      ([label, text]) => document.querySelector(`textarea[aria-label="${label}"]`)?.value === text,
      [name, text],
      // A window behind another one draws once a second.
      { polling: 20 },
    );
  } catch {
    assert.equal(await section(device, name).inputValue(), text);
  }
}

/** Starts Rex's visit, which every demonstration clinic has waiting, and returns its address. */
export async function startRex(device) {
  await device.page.getByRole("button", { name: /^Start Rex/ }).first().click();
  await section(device, "History").waitFor();
  return new URL(device.page.url()).pathname;
}

/** Finds somebody with the palette and opens their page. */
export async function find(device, typed, name) {
  await device.page.keyboard.press("Control+k");
  await palette(device).fill(typed);
  await device.page.getByRole("option", { name }).first().click();
}
