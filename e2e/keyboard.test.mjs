// A morning without a mouse: every way through the program by keys alone, with the focus always in sight.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { ADMINISTRATOR, Clinic, PASSWORD, VET } from "./support/clinic.mjs";
import { Keys } from "./support/keys.mjs";
import { allAtTheClinic, day, palette, saved, section, status } from "./support/screens.mjs";

let clinic, device, page, keys;

before(async () => {
  clinic = await Clinic.start({ patients: 40 });
  device = await clinic.profile();
  page = device.page;
  keys = new Keys(device);
});

after(async () => await clinic?.stop());

const button = (name) => page.getByRole("button", { name });
const field = (name) => page.getByLabel(name, { exact: true });
const dialog = (name) => page.getByRole("dialog", { name });
const heading = (name) => page.getByRole("heading", { name, exact: true });
const booked = () => page.locator('.appt[data-status="clash"] button').first();

test("this story touches no mouse", () => {
  const story = readFileSync(new URL(import.meta.url), "utf8");
  const hands = new RegExp(["cli" + "ck", "mou" + "se\\.", "ta" + "p\\(", "hov" + "er", "foc" + "us\\(", "drag" + "To"].join("|"));
  assert.doesNotMatch(story, hands);
});

test("signing in", async () => {
  await device.goto("/");
  await keys.focusComesTo(field("Email"));
  await keys.type(VET);
  await keys.press("Tab");
  await keys.type(PASSWORD);
  await keys.press("Enter");
  await day(device).waitFor();
  await allAtTheClinic(device);
});

test("the first Tab offers to skip to the page", async () => {
  await page.reload();
  await day(device).waitFor();
  await keys.press("Tab");
  await keys.focusComesTo(page.getByRole("link", { name: "Skip to content" }));
  await keys.isSeen();
  await keys.press("Enter");
  await keys.press("Tab");
  await keys.focusStaysIn(page.locator("#content"));
});

test("through the day: arrows from card to card, Enter opens one, Esc goes back to it", async () => {
  await keys.tabTo(page.locator(".appt__card[tabindex='0']"));
  const first = await keys.focused();
  await keys.press("ArrowUp");
  const second = await keys.focused();
  assert.notEqual(first, second);
  await keys.isSeen();
  await keys.press("ArrowDown");
  assert.equal(await keys.focused(), first);
  await keys.press("Enter");
  await page.getByRole("dialog").waitFor();
  await keys.isSeen();
  await keys.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await keys.focused(), first);
});

test("checking in, and taking it back", async () => {
  await arrowsTo(booked());
  const name = await booked().locator(".appt__title").innerText();
  await keys.press("i");
  await page.getByText(`${name} is checked in`).waitFor();
  await keys.use(page.locator(".toast").getByRole("button", { name: "Undo" }));
  await page.getByText("Taken back").waitFor();
});

test("moving an appointment, and giving the move up", async () => {
  await arrowsTo(booked());
  const name = await booked().locator(".appt__title").innerText();
  const moved = page.locator(`[id="${await booked().getAttribute("id")}"]`);
  await keys.press("m");
  await page.getByText(new RegExp(`^Moving ${name} to`)).waitFor();
  await keys.press("ArrowUp");
  await keys.press("Escape");
  await page.getByText(/^Moving/).waitFor({ state: "detached" });
  await keys.focusComesTo(moved);
  await keys.press("m");
  for (let step = 0; step < 3; step++) await keys.press("ArrowUp");
  await keys.press("Enter");
  await page.getByText(new RegExp(`^${name} moved to`)).waitFor();
  await keys.focusComesTo(moved);
});

test("cancelling a booking from its dialog", async () => {
  const card = page.locator('.appt[data-status="booked"] button').first();
  await arrowsTo(card);
  const name = await card.locator(".appt__title").innerText();
  await keys.press("Enter");
  await keys.use(page.getByRole("dialog").getByRole("button", { name: "Cancel booking" }));
  await keys.focusComesTo(field("Why is it cancelled? optional"));
  await keys.use(button("Keep it"));
  // The focus stays in the dialog, wherever its parts go.
  await keys.focusStaysIn(page.getByRole("dialog"));
  await keys.use(page.getByRole("dialog").getByRole("button", { name: "Cancel booking" }));
  await keys.focusComesTo(field("Why is it cancelled? optional"));
  await keys.type("Owner called");
  await keys.press("Enter");
  await page.getByText(new RegExp(`${name} at .* is cancelled`)).waitFor();
});

test("other days, and back to today", async () => {
  await keys.use(button("Day after"));
  await page.waitForURL(/\/day\//);
  await keys.focusComesTo(button("Day after"));
  await keys.press("t");
  await page.waitForURL((url) => url.pathname === "/");
});

test("registering a client with a pet, and booking", async () => {
  await keys.press("n");
  await keys.focusComesTo(field("Given name optional"));
  await keys.type("Šárka");
  await keys.fill(field("Family name"), "Horáčková");
  await keys.fill(field("Phone"), "+420 700 100 200");
  await keys.fill(field("Name"), "Bublinka");
  await keys.tabTo(page.getByRole("radiogroup", { name: "Sex" }).locator("[tabindex='0']"));
  await keys.press("ArrowRight");
  await keys.press("ArrowLeft");
  await keys.use(button("Save and book"));
  const booking = dialog("Book an appointment");
  await booking.getByText("Bublinka").waitFor();
  const days = booking.getByRole("radiogroup", { name: "When" }).getByRole("radio");
  await keys.tabTo(booking.locator(".days__day[tabindex='0']"));
  for (let step = 0; step < 4; step++) {
    const before = await days.and(page.locator("[aria-checked=true]")).getAttribute("id");
    await keys.press("ArrowRight");
    await page.waitForFunction((id) => document.activeElement.id !== id && document.activeElement.id.startsWith("booking-day"), before);
  }
  await keys.tabTo(booking.locator(".slot"));
  await keys.press("ArrowRight");
  await keys.fill(field("Reason optional"), "Not eating");
  await keys.press("Enter");
  await page.getByText(/Bublinka is booked/).waitFor();
  await booking.waitFor({ state: "detached" });
});

test("changing one's mind in a booking", async () => {
  await keys.press("b");
  const who = page.getByRole("combobox", { name: "Patient" });
  await keys.focusComesTo(who);
  await keys.type("bublin");
  await page.getByRole("option", { name: /Bublinka/ }).first().waitFor();
  await keys.press("Escape");
  await page.getByRole("listbox").waitFor({ state: "detached" });
  await keys.press("ArrowDown");
  await keys.press("Enter");
  await keys.use(page.getByRole("button", { name: "Change", exact: true }));
  await keys.focusComesTo(who);
  await keys.press("Escape");
  await dialog("Book an appointment").waitFor({ state: "detached" });
});

test("from the palette to a patient", async () => {
  await keys.press("Control+k");
  await keys.focusComesTo(palette(device));
  await keys.type("rex novak");
  await page.getByRole("option", { name: /^Rex/ }).first().waitFor();
  await keys.press("ArrowDown");
  await keys.press("ArrowUp");
  await keys.press("Enter");
  await heading("Rex").waitFor();
  await keys.focusComesTo(page.locator("#content"));
});

test("recording a weight, and the one that may be pounds", async () => {
  await keys.fill(field("New weight"), "42");
  await keys.press("Enter");
  await page.getByText(/was that pounds/).waitFor();
  await keys.use(button(/42 lb, that is/));
  await page.locator(".toast").filter({ hasText: /recorded/ }).waitFor();
  await keys.focusComesTo(field("New weight"));
  await keys.fill(field("New weight"), "19.2");
  await keys.press("Enter");
  await page.locator(".toast").filter({ hasText: "19.2 kg recorded" }).waitFor();
  await keys.focusComesTo(field("New weight"));
});

test("menus and dialogs give the focus back to where it was", async () => {
  const more = button("More about Rex");
  await keys.tabTo(more, "Shift+Tab");
  await keys.press("Enter");
  const items = page.getByRole("menuitem");
  await keys.focusComesTo(items.first());
  await keys.isSeen();
  await keys.press("ArrowDown");
  await keys.focusComesTo(items.nth(1));
  await keys.press("Escape");
  await keys.focusComesTo(more);
  await keys.press("ArrowDown");
  await keys.focusComesTo(items.first());
  await keys.press("ArrowDown");
  await keys.press("Enter");
  await dialog("Rex has died").waitFor();
  await keys.isSeen();
  await keys.press("Escape");
  await keys.focusComesTo(more);

  const edit = button(/^Edit E/);
  await keys.use(edit);
  await dialog(/^Edit Rex/).waitFor();
  // Tab stays in the dialog all the way round.
  for (let stop = 0; stop < 20; stop++) {
    await keys.press("Tab");
    await keys.focusStaysIn(page.getByRole("dialog"));
  }
  await keys.press("Escape");
  await keys.focusComesTo(edit);

  await keys.use(button("Add an alert"));
  await keys.focusComesTo(field("Allergic to"));
  await keys.press("Escape");
  await keys.focusComesTo(button("Add an alert"));

  await keys.press("?");
  await dialog("Keys").waitFor();
  await keys.press("Escape");
  await keys.focusComesTo(button("Add an alert"));

  await keys.tabTo(status(device), "Shift+Tab");
  await keys.press("Enter");
  await dialog("What is saved here and what is at the clinic").waitFor();
  await keys.press("Escape");
  await keys.focusComesTo(status(device));
});

test("starting a visit, writing it and finishing it", async () => {
  await keys.press("g");
  await keys.press("d");
  await day(device).waitFor();
  await keys.use(button(/^Start Rex/));
  await section(device, "History").waitFor();
  await keys.press("Alt+1");
  await keys.focusComesTo(section(device, "History"));
  await keys.isSeen();
  await keys.type("Vomited four times overnight.");
  await keys.press("Alt+3");
  await keys.focusComesTo(section(device, "Assessment"));
  await keys.type("Acute gastritis.");
  await keys.fill(page.getByLabel(/^Temperature/), "38.9");
  await keys.press("Enter");
  await keys.fill(page.getByRole("textbox", { name: /^Weight/ }).first(), "19.1");
  await keys.press("Tab");
  await saved(device, "At the clinic").waitFor();
  await keys.press("Control+Enter");
  await page.getByText(/^Finished \d/).waitFor();
  await page.getByText("Acute gastritis.").waitFor();
  await keys.use(button("Reopen"));
  await section(device, "History").waitFor();
  await keys.press("Control+Enter");
  await page.getByText(/^Finished \d/).waitFor();
});

test("the lists, a client, and the theme", async () => {
  await keys.press("g");
  await keys.press("c");
  await heading("Clients").waitFor();
  await keys.fill(page.getByRole("searchbox"), "horackova");
  await keys.use(page.getByRole("link", { name: /Šárka/ }));
  await heading("Šárka Horáčková").waitFor();
  await keys.press("e");
  await dialog(/^Edit Šárka/).waitFor();
  await keys.fill(field("Address optional"), "Lipová 4, Brno");
  await keys.press("Enter");
  await page.getByText("Lipová 4, Brno").first().waitFor();
  await keys.tabTo(page.getByRole("link", { name: "Dr Ana Moreno" }), "Shift+Tab");
  await keys.press("Enter");
  await heading("This device").waitFor();
  await keys.tabTo(page.getByRole("radiogroup", { name: "Theme" }).locator("[tabindex='0']"));
  while ((await page.evaluate(() => document.documentElement.dataset.theme)) !== "dark") await keys.press("ArrowRight");
  await keys.isSeen();
});

test("nothing on any page broke the rules", () => assert.deepEqual(device.troubles, []));

/** From the card that Tab stops at to another. */
async function arrowsTo(card) {
  await keys.tabTo(page.locator(".appt__card[tabindex='0']"));
  const target = await card.getAttribute("id");
  const seen = new Set();
  const here = () => page.evaluate(() => document.activeElement.id);
  const walk = async (key) => {
    for (let last = ""; (await here()) !== last && (await here()) !== target; ) {
      last = await here();
      seen.add(last);
      await keys.press(key);
    }
  };
  // Up to the top of each column, then down through it, and on to the next.
  for (const side of ["ArrowLeft", "ArrowRight"]) {
    for (let column = 0; column < 8 && (await here()) !== target; column++) {
      await walk("ArrowUp");
      await walk("ArrowDown");
      if ((await here()) !== target) await keys.press(side);
    }
  }
  assert.equal(await here(), target, `arrows do not come to the card; they came to ${seen.size} others`);
}

test("an administrator invites a colleague and thinks better of it", async () => {
  device = await clinic.profile();
  page = device.page;
  keys = new Keys(device);
  await device.goto("/");
  await keys.focusComesTo(field("Email"));
  await keys.type(ADMINISTRATOR);
  await keys.press("Tab");
  await keys.type(PASSWORD);
  await keys.press("Enter");
  await day(device).waitFor();
  await keys.press("Control+k");
  await keys.focusComesTo(palette(device));
  await keys.type("staff");
  await page.getByRole("option", { name: "Staff and roles" }).waitFor();
  await keys.press("Enter");
  await heading("Staff and roles").waitFor();
  await page.getByRole("link", { name: /Ana Moreno/ }).waitFor();

  await keys.press("i");
  await keys.focusComesTo(field("Full name"));
  await keys.type("Peter Holm");
  await keys.press("Tab");
  await keys.type("peter.holm@example.org");
  const role = page.getByLabel(/^Front desk/);
  await keys.tabTo(role);
  await keys.press("Space");
  assert.ok(await role.isChecked());
  await keys.press("Enter");
  await dialog("Invite a colleague").waitFor({ state: "detached" });

  const more = button("More about Peter Holm");
  await keys.use(more);
  await keys.focusComesTo(page.getByRole("menuitem", { name: "Send the mail again" }));
  await keys.press("ArrowDown");
  await keys.press("Enter");
  await keys.focusComesTo(page.getByRole("dialog").getByRole("button", { name: "Not now" }));
  await keys.press("Enter");
  await keys.focusComesTo(more);
  await keys.press("Enter");
  await keys.focusComesTo(page.getByRole("menuitem", { name: "Send the mail again" }));
  await keys.press("ArrowDown");
  await keys.press("Enter");
  await keys.focusComesTo(page.getByRole("dialog").getByRole("button", { name: "Not now" }));
  await keys.use(button("Withdraw"));
  await more.waitFor({ state: "detached" });
});
