// The database stops and comes back while two people type into one note.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Clinic, DESK, TECHNICIAN, VET } from "./support/clinic.mjs";
import { Cluster, freshDatabase } from "./support/postgres.mjs";
import { allAtTheClinic, day, reads, saved, section, startRex, status } from "./support/screens.mjs";

let cluster, clinic, vet, tech, visit;

before(async () => {
  cluster = await Cluster.start();
  clinic = await Clinic.start({ patients: 40, databaseUrl: await freshDatabase(cluster) });
  [vet, tech] = await Promise.all([clinic.profile(), clinic.profile()]);
  await vet.signIn(VET);
  await day(vet).waitFor();
  visit = await startRex(vet);
  await section(vet, "History").fill("|");
  await allAtTheClinic(vet);
  await tech.signIn(TECHNICIAN);
  await day(tech).waitFor();
  await tech.goto(visit);
  await reads(tech, "History", "|");
});

after(async () => {
  await clinic?.stop();
  await cluster?.stop();
});

/** Types numbered words where the caret is, until told to stop; gives back everything typed. */
function typing(device, word) {
  const told = { stop: false };
  const words = (async () => {
    let typed = "";
    for (let count = 1; !told.stop; count++) {
      await device.page.keyboard.type(`${word}${count} `, { delay: 20 });
      typed += `${word}${count} `;
    }
    return typed;
  })();
  return async () => {
    told.stop = true;
    return await words;
  };
}

test("the database stops and starts under two who type: what was said stays true, and nothing is lost", async () => {
  await section(tech, "History").press("Home");
  await section(vet, "History").press("End");
  const [techStops, vetStops] = [typing(tech, "t"), typing(vet, "v")];
  // Both have words at the clinic before it happens.
  for (const device of [vet, tech]) {
    await device.page.waitForFunction(() => /v3 /.test(document.querySelector("textarea").value));
    await device.page.waitForFunction(() => /t3 /.test(document.querySelector("textarea").value));
  }
  cluster.kill();
  for (const device of [vet, tech]) {
    await status(device).filter({ hasText: /[1-9]\d* saved on this|Sending [1-9]/ }).waitFor();
    // They go on: it is durable here.
    await saved(device, /Saved here|Writing/).waitFor();
  }
  const [techTyped, vetTyped] = await Promise.all([techStops(), vetStops()]);
  for (const device of [vet, tech]) {
    await saved(device, "Saved here").waitFor();
    // As long as the database is away nothing more is called acknowledged.
    assert.equal(await status(device).filter({ hasText: "At the clinic" }).count(), 0);
  }
  cluster.restart();
  for (const device of [vet, tech]) await allAtTheClinic(device);
  const all = `${techTyped}|${vetTyped}`.trim();
  for (const device of [vet, tech]) {
    await device.page.waitForFunction((all) => document.querySelector("textarea").value.trim() === all, all);
  }
  // The database has it, and not only these two.
  await clinic.kill();
  await clinic.revive();
  const desk = await clinic.profile();
  await desk.signIn(DESK);
  await day(desk).waitFor();
  await desk.goto(visit);
  await desk.page.getByText(all).waitFor();
  assert.deepEqual([...vet.troubles, ...tech.troubles, ...desk.troubles], []);
});
