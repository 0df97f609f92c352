// Several windows of one browser: one keeps the records, all work, and nothing is lost or done twice when it goes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Clinic, DESK, PHONE, VET } from "./support/clinic.mjs";
import { allAtTheClinic, banner, day, offline, reads, section, startRex, status } from "./support/screens.mjs";

let clinic, device, visit, text, windows = [];

before(async () => {
  clinic = await Clinic.start({ patients: 40 });
  device = await clinic.profile();
});

after(async () => await clinic?.stop());

/** One more window of a browser, to be used where a device is. */
async function another(path = visit, of = device) {
  const one = Object.create(of, { page: { value: await of.context.newPage(), writable: true } });
  one.watch(one.page);
  await one.goto(path);
  if (of === device) windows.push(one);
  return one;
}

/** Until there are so many windows, all at the visit. */
async function open(count) {
  while (windows.length < count) await another();
  for (const one of windows) await reads(one, "History", text);
}

/** The window whose Worker has the store: start.js leaves the others' Workers without `onmessage`. */
async function owner() {
  const late = Date.now() + 30_000;
  while (Date.now() < late) {
    for (const one of windows) {
      const [worker] = one.page.workers();
      // A Worker may end while it is asked.
      if (await worker?.evaluate(() => self.onmessage !== null && self.name !== "").catch(() => false)) return one;
    }
    await windows[0].page.evaluate(() => new Promise(requestAnimationFrame));
  }
  throw new Error("no window has the records");
}

/** All windows, the one that has the records first. */
async function fromTheOwner() {
  const has = await owner();
  return [has, ...windows.filter((one) => one !== has)];
}

const others = async () => (await fromTheOwner()).slice(1);

async function close(one) {
  windows = windows.filter((other) => other !== one);
  await one.page.close();
}

/** Types at the end of the history; the text that all windows should show then. */
async function types(one, more, options) {
  text += more;
  await section(one, "History").press("Control+End");
  await section(one, "History").pressSequentially(more, options);
}

const everywhere = () => Promise.all(windows.map((one) => reads(one, "History", text)));

/** By how the window that has the records goes: how long others could save nothing, in milliseconds. */
const tookOver = { closed: [], crashed: [], frozen: [] };
const THRICE = [1, 2, 3];

/** Measures the time until what is typed now in one window is durable, as another one shows it. */
async function untilDurable(name, writing, reading, goes) {
  await section(writing, "History").press("Control+End");
  const started = Date.now();
  await goes();
  await types(writing, " .");
  await reads(reading, "History", text);
  const took = Date.now() - started;
  console.log(`${name}: ${took} ms until the next command was durable and on another screen`);
  tookOver[name].push(took);
}

/** A browser freezes only what nobody sees, and the driver keeps every page in sight unless it is told otherwise. */
async function keepInSight(one, enabled) {
  const driver = one.page._connection.toImpl(one.page).delegate._mainFrameSession._client;
  await driver.send("Emulation.setFocusEmulationEnabled", { enabled });
}

test("a second and a third window work like the first, and what one writes the others show", async () => {
  await device.signIn(VET);
  await day(device).waitFor();
  visit = await startRex(device);
  windows = [device];
  text = "";
  await open(3);
  for (const [at, one] of windows.entries()) {
    await types(one, ` From window ${at + 1}.`);
    await everywhere();
  }
  for (const one of windows) await allAtTheClinic(one);
});

test("two windows write one note at the same time, and both texts stand in both", async () => {
  const [first, second] = await others();
  await section(first, "History").press("Control+Home");
  await section(second, "History").press("Control+End");
  await Promise.all([
    section(first, "History").pressSequentially("At the start. ", { delay: 15 }),
    section(second, "History").pressSequentially(" At the end.", { delay: 15 }),
  ]);
  text = `At the start. ${text} At the end.`;
  await everywhere();
});

test("the window that has the records closes while another one types", async () => {
  for (const _ of THRICE) {
    const [has, writing, reading] = await fromTheOwner();
    await untilDurable("closed", writing, reading, () => close(has));
    await open(3);
  }
  // And in the middle of a word.
  const next = await owner();
  const [typing] = await others();
  const typed = types(typing, " He ate the garden hose, most of it.", { delay: 20 });
  await close(next);
  await typed;
  await everywhere();
  await open(3);
});

test("what is typed last in a window before it closes is there, whoever has the records", async () => {
  for (const choose of [owner, async () => (await others())[0]]) {
    const leaving = await choose();
    await types(leaving, " Last words.");
    await leaving.leave();
    windows = windows.filter((one) => one !== leaving);
    await everywhere();
    await open(3);
  }
});

test("the window that has the records crashes", async () => {
  for (const _ of THRICE) {
    const [has, writing, reading] = await fromTheOwner();
    await untilDurable("crashed", writing, reading, async () => {
      const crashed = has.page.waitForEvent("crash");
      const browser = await has.context.newCDPSession(has.page);
      // It has no time to answer.
      browser.send("Page.crash").catch(() => {});
      await crashed;
    });
    await close(has);
    await everywhere();
    await open(3);
  }
});

test("the window that has the records is frozen, and goes on later", async () => {
  for (const _ of THRICE) {
    const [has, writing, reading] = await fromTheOwner();
    const browser = await has.context.newCDPSession(has.page);
    await keepInSight(has, false);
    await writing.page.bringToFront();
    await has.page.waitForFunction(() => document.hidden);
    await untilDurable("frozen", writing, reading, () =>
      browser.send("Page.setWebLifecycleState", { state: "frozen" }),
    );
    assert.notEqual(await owner(), has);
    await types(writing, " Written meanwhile.");
    await reads(reading, "History", text);
    await browser.send("Page.setWebLifecycleState", { state: "active" });
    await keepInSight(has, true);
    await everywhere();
    await types(has, " Thawed.");
    await everywhere();
    // A second Worker of the same window would get the store one day, and answer nobody.
    assert.equal(has.page.workers().length, 1);
  }
});

test("taking over took less than a second, however the window went", () => {
  for (const [how, times] of Object.entries(tookOver)) {
    const [, median] = times.toSorted((a, b) => a - b);
    assert.ok(median < 1000, `${how}: ${times.join(", ")} ms`);
  }
});

test("the Worker that has the records hangs: the others say so, and one of them takes over", async () => {
  // Either of them may be the one that takes over.
  const [has, writing, noting] = await fromTheOwner();
  // Nothing answers any more; the script never ends by itself.
  await has.page.workers()[0].evaluate(() => {
    setTimeout(() => { for (;;); });
  });
  await section(noting, "History").press("Control+Home");
  await section(noting, "History").pressSequentially("Unheard. ");
  await types(writing, " Nobody answers.");
  await banner(writing, "Nothing is saved at the moment.").waitFor();
  assert.equal(await section(writing, "History").inputValue(), text);
  text = `Unheard. ${text}`;
  await banner(writing, "Nothing is saved").waitFor({ state: "detached", timeout: 60_000 });
  await everywhere();
});

test("the Worker that has the records breaks off: its window says so, and the others go on", async () => {
  await open(3);
  const [has, writing, reading] = await fromTheOwner();
  await has.page.workers()[0].evaluate(() => {
    setTimeout(() => { throw new Error("broke off on purpose"); });
  });
  await has.page.getByText("Something went wrong").waitFor();
  await types(writing, " Unbroken.");
  await reads(reading, "History", text);
  await has.page.getByRole("button", { name: "Try again" }).click();
  await everywhere();
});

test("what one window signs out of, all leave; and one signs in for all", async () => {
  const [first] = windows;
  for (const one of windows) await allAtTheClinic(one);
  await first.goto("/me");
  await first.page.getByRole("button", { name: "Sign out" }).click();
  for (const one of windows) await one.page.getByLabel("Email").waitFor();
  const [one] = await others();
  await one.enter(VET);
  for (const other of windows.slice(1)) await reads(other, "History", text);
  await first.goto(visit);
  await everywhere();
});

test("all windows are loaded anew at once, again and again", async () => {
  for (let round = 0; round < 5; round++) {
    const [writing] = await others();
    await types(writing, ` ${round}`);
    await Promise.all(windows.map((one) => one.reload()));
    await everywhere();
  }
});

test("a window that is too busy to notice that it has the records now writes what was typed once", async () => {
  for (let round = 0; round < 3; round++) {
    const [has, writing, ...more] = await fromTheOwner();
    for (const one of more) await close(one);
    await types(writing, ` Busy ${round}.`);
    // Its own Worker takes the records over meanwhile, and what was typed is due before the window hears of that.
    const busy = writing.page.evaluate(() => {
      const end = performance.now() + 3_000;
      while (performance.now() < end);
    });
    await close(has);
    await busy;
    await open(3);
    await everywhere();
  }
});

test("what one window wrote for another and could not say any more is written once, though all lock in between", async () => {
  const [has, writing, ...more] = await fromTheOwner();
  for (const one of more) await close(one);
  // Whatever it does for others from now on, they do not hear of it.
  await has.page.workers()[0].evaluate(() => {
    BroadcastChannel.prototype.postMessage = () => {};
  });
  await types(writing, " Unsaid.");
  await reads(has, "History", text);
  const browser = await writing.context.newCDPSession(writing.page);
  await keepInSight(writing, false);
  await has.page.bringToFront();
  await writing.page.waitForFunction(() => document.hidden);
  // It lets go of what opens the records, so that they are locked when it asks again.
  await browser.send("Page.setWebLifecycleState", { state: "frozen" });
  await close(has);
  await browser.send("Page.setWebLifecycleState", { state: "active" });
  await keepInSight(writing, true);
  await everywhere();
  await open(3);
  await types(writing, " Said.");
  await everywhere();
});

test("without the clinic, windows come and go, and everything arrives once it is back", async () => {
  await clinic.kill();
  for (const one of windows) await offline(one);
  const [writing] = await others();
  await types(writing, " Offline.");
  await close(await owner());
  await another();
  await everywhere();
  await types(windows.at(-1), " In a new window.");
  await everywhere();
  await close(await owner());
  await everywhere();
  await clinic.revive();
  for (const one of windows) await allAtTheClinic(one);
  const elsewhere = await clinic.profile();
  await elsewhere.signIn(DESK);
  await day(elsewhere).waitFor();
  await elsewhere.goto(visit);
  await elsewhere.page.getByText(text).waitFor();
  await elsewhere.close();
});

test("a window that cannot be talked to is named, and gives way when it closes", async () => {
  for (const one of [...windows].slice(1)) await close(one);
  const [last] = windows;
  const stranger = await device.context.newPage();
  // As a window of another build does, which speaks otherwise.
  await stranger.goto(`${clinic.address}/manifest.webmanifest`);
  await stranger.evaluate(() => {
    navigator.locks.request("device-store", () => new Promise(() => {}));
  });
  await last.reload();
  await last.page.getByText("The clinic is open in another window").waitFor();
  assert.equal(await status(last).count(), 0);
  await stranger.close();
  await reads(last, "History", text);
});

test("little room is said before there is none", async () => {
  const [last] = windows;
  const crowded = await another();
  // Chromium tells pages of a round quota, whatever it really is; other browsers tell the truth.
  await crowded.page.addInitScript(() => {
    StorageManager.prototype.estimate = async () => ({ usage: 1e9, quota: 1e9 + 40 * 1024 * 1024 });
  });
  await crowded.reload();
  await banner(crowded, "only 40 MB left").waitFor();
  await close(crowded);
  assert.equal(await banner(last, "MB left").count(), 0);
});

test("whether the browser may delete the records is asked at the first sign-in, and said", async () => {
  const said = (one) => one.page.getByText("The browser may delete the records here");
  const phone = await clinic.profile(PHONE);
  const browser = await phone.context.newCDPSession(phone.page);
  const permission = { permission: { name: "persistent-storage" }, origin: clinic.address };
  await browser.send("Browser.setPermission", { ...permission, setting: "denied" });
  await phone.signIn(DESK);
  await day(phone).or(status(phone)).first().waitFor();
  await phone.goto("/me");
  await said(phone).waitFor();
  await phone.close();

  const trusted = await clinic.profile();
  const itsBrowser = await trusted.context.newCDPSession(trusted.page);
  await itsBrowser.send("Browser.setPermission", { ...permission, setting: "granted" });
  await trusted.signIn(DESK);
  await day(trusted).waitFor();
  await trusted.page.waitForFunction(() => navigator.storage.persisted());
  await trusted.goto("/me");
  await trusted.page.getByRole("heading", { name: "This device" }).waitFor();
  assert.equal(await said(trusted).count(), 0);
  await trusted.close();
});

test("records that the browser has deleted are missed, and what was lost with them is counted", async () => {
  const [last] = windows;
  await clinic.kill();
  await offline(last);
  await section(last, "Plan").fill("Never reached the clinic.");
  await status(last).filter({ hasText: /1 saved on this/ }).waitFor();
  await last.page.goto(`${clinic.address}/manifest.webmanifest`);
  await last.page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    // The files are free once the former page's Worker has ended, which the lock tells.
    await navigator.locks.request("device-store", () => root.removeEntry(".clinic", { recursive: true }));
  });
  await clinic.revive();
  await last.goto(visit);
  const alert = last.page.getByRole("alert").filter({ hasText: "The browser has deleted the records" });
  await alert.filter({ hasText: "One change that waited here had not, and is lost." }).waitFor();
  await last.enter(VET);
  await reads(last, "History", text);
  assert.equal(await section(last, "Plan").inputValue(), "");
  await allAtTheClinic(last);
});

test("nothing on any window broke the rules", () => {
  assert.deepEqual(device.troubles.filter((trouble) => !trouble.includes("broke off on purpose")), []);
});
