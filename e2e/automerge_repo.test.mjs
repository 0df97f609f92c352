// Clients made with automerge-repo beside our own: the same visit, in a browser and in two Repos.
import { ImmutableString, splice, updateText } from "@automerge/automerge";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Guest, allLeave, atTheClinic, holds, ticketFor, told } from "./support/automerge_repo.mjs";
import { Clinic, OWNER, TECHNICIAN, VET } from "./support/clinic.mjs";
import { allAtTheClinic, day, offline, reads, section, startRex } from "./support/screens.mjs";

let clinic, device, visit, vet, tech, owner;

before(async () => {
  clinic = await Clinic.start({ patients: 40 });
  [device, vet, tech, owner] = await Promise.all([
    clinic.profile(),
    Guest.join(clinic, VET),
    Guest.join(clinic, TECHNICIAN),
    Guest.join(clinic, OWNER),
  ]);
  await device.signIn(VET);
  await day(device).waitFor();
  visit = (await startRex(device)).split("/").at(-1);
  await section(device, "History").fill("Since Monday. ");
  await allAtTheClinic(device);
});

after(async () => {
  allLeave();
  await clinic?.stop();
});

/** Writes at the end of a section, as a person at the keyboard does. */
const append = (handle, section, words) => handle.change((doc) => splice(doc, [section], doc[section].length, 0, words));

test("a visit is opened and read, and both sides hear each other live", async () => {
  const handle = await tech.open(visit);
  assert.equal(handle.doc().kind.toString(), "visit");
  await holds(handle, "the history is here", (doc) => doc.history === "Since Monday. ");

  append(handle, "history", "Ate a sock. 🧦 ");
  await reads(device, "History", "Since Monday. Ate a sock. 🧦 ");
  await atTheClinic(handle, tech.principal.clinic);

  await section(device, "History").press("End");
  await section(device, "History").pressSequentially("Vomits.");
  await holds(handle, "the vet's words are here", (doc) => doc.history.endsWith("🧦 Vomits."));
});

test("two of these clients hear each other", async () => {
  const [here, there] = [await vet.open(visit), await tech.open(visit)];
  here.change((doc) => updateText(doc, ["plan"], "Radiograph of the abdomen."));
  await holds(there, "the plan is here", (doc) => doc.plan === "Radiograph of the abdomen.");
  here.change((doc) => updateText(doc, ["plan"], "Ultrasound of the abdomen."));
  await holds(there, "the new plan is here", (doc) => doc.plan === "Ultrasound of the abdomen.");
  await reads(device, "Plan", "Ultrasound of the abdomen.");
  // What nobody keeps: a cursor.
  const cursor = told(there);
  here.broadcast({ cursor: 7 });
  assert.deepEqual(await cursor, { cursor: 7 });
  // A value is a value, not a text.
  here.change((doc) => (doc.reason = new ImmutableString("Swallowed something")));
  await holds(there, "the reason is here", (doc) => doc.reason?.toString() === "Swallowed something");
});

test("the server dies, all write on, and they converge when it is back", async () => {
  const [here, there] = [await vet.open(visit), await tech.open(visit)];
  await clinic.kill();
  await offline(device);
  for (const word of ["one ", "two ", "three "]) append(here, "assessment", word);
  for (const word of ["un ", "deux ", "trois "]) append(there, "history", word);
  await section(device, "Plan").press("End");
  await section(device, "Plan").pressSequentially(" Today.");
  await clinic.revive();
  await allAtTheClinic(device);
  const whole = (doc) =>
    doc.assessment === "one two three " && doc.history.endsWith("un deux trois ") && doc.plan.endsWith(" Today.");
  await Promise.all([here, there].map((handle) => holds(handle, "all words are here", whole)));
  assert.deepEqual(here.doc(), there.doc());
  for (const [name, key] of [["History", "history"], ["Assessment", "assessment"], ["Plan", "plan"]]) {
    await reads(device, name, here.doc()[key]);
  }
});

test("what its account may not write is refused, said, and reaches nobody", async () => {
  const guest = await Guest.join(clinic, TECHNICIAN);
  const handle = await guest.open(visit);
  const before = handle.doc().assessment;
  let refused = told(handle);
  append(handle, "assessment", "Not a technician's to write.");
  const { type, changes } = await refused;
  assert.equal(type, "refused");
  assert.equal(changes[0].code, "not_permitted");
  assert.match(changes[0].reason, /assessment/);
  guest.leave();

  // An assignment makes a new text where the document has its own or a value: refused as well.
  const again = await Guest.join(clinic, VET);
  const copy = await again.open(visit);
  refused = told(copy);
  copy.change((doc) => (doc.history = "all new"));
  assert.equal((await refused).changes[0].code, "not_permitted");
  again.leave();

  // Whoever has not written it goes on as before.
  const clean = await tech.open(visit);
  append(clean, "history", "Still here.");
  const there = await vet.open(visit);
  await holds(there, "the words are here", (doc) => doc.history.endsWith("Still here."));
  assert.equal(there.doc().assessment, before);
  await reads(device, "History", there.doc().history);
});

test("an owner opens what is theirs, and a visit looks like nothing at all", async () => {
  const own = await owner.open(owner.principal.client);
  assert.equal(own.doc().kind.toString(), "client");
  const words = async (id) => {
    const error = await owner.open(id).then(
      () => assert.fail("opened"),
      (error) => error,
    );
    return error.message.replace(/[1-9A-HJ-NP-Za-km-z]{20,}/, "…");
  };
  assert.equal(await words(visit), await words("00000000-0000-4000-8000-00000000dead"));
});

test("an address without a valid ticket opens nothing, and ends no process", async () => {
  const { address } = await ticketFor(clinic, VET);
  const stranger = await Guest.at(address.replace(/.{4}$/, "AAAA"));
  await assert.rejects(stranger.open(visit), /unavailable/);
  stranger.leave();
});

test("nothing on the page broke the rules, and no ticket was logged", () => {
  assert.deepEqual(device.troubles, []);
  assert.doesNotMatch(clinic.log, /ticket=/);
});
