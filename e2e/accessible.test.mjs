// No screen breaks a rule of accessibility that a machine can check: each in both themes, on a desktop and on a phone.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Audit } from "./support/axe.mjs";
import { Clinic, PHONE, TECHNICIAN, VET } from "./support/clinic.mjs";
import { freshDatabase, stopCluster } from "./support/postgres.mjs";
import { SlowLine } from "./support/slow_line.mjs";
import * as walk from "./support/walk.mjs";

let clinic, line, begun, small;

before(async () => {
  clinic = await Clinic.start({ patients: 60, databaseUrl: await freshDatabase() });
  line = await SlowLine.to(clinic.port);
  // Without a mail server it writes mails into its folder.
  small = await Clinic.start({ patients: 20, years: 1 });
});

after(async () => {
  await clinic?.stop();
  await small?.stop();
  line?.close();
  await stopCluster();
});

for (const [name, kind] of [["desktop", {}], ["phone", PHONE]]) {
  describe(name, () => {
    let vet;

    before(async () => (vet = await clinic.profile({ ...kind, address: line.address })));

    /** Walks, and fails at its end with everything that was found on the way. */
    const audited = (title, device, steps) =>
      test(title, async () => {
        const audit = new Audit();
        await steps(device(), (screen) => audit.of(device().page, screen));
        assert.deepEqual(audit.lines(), []);
      });
    const vets = (title, steps) => audited(title, () => vet, steps);

    vets("arriving", (device, at) => walk.arrival(device, line, VET, at));
    vets("the day", walk.theDay);
    vets("what opens over the page", walk.overThePage);
    vets("clients and patients", walk.people);
    vets("the owner’s app", walk.ownersApp);
    vets("a visit", async (device, at) => (begun = await walk.visit(device, begun, at)));
    vets("everything else", walk.elsewhere);
    vets("a second window", walk.secondWindow);
    vets("locking", walk.locking);
    vets("hard times", (device, at) => walk.hardTimes(device, VET, at));

    test("accounts, people and clinics", async () => {
      const device = await small.profile(kind);
      const audit = new Audit();
      await walk.accounts(device, (screen) => audit.of(device.page, screen));
      assert.deepEqual(audit.lines(), []);
    });

    test("an owner, and a device that can keep nothing", async () => {
      const device = await clinic.profile(kind);
      const audit = new Audit();
      const at = (screen) => audit.of(device.page, screen);
      await walk.owner(device, at);
      await walk.noStore(device, at);
      assert.deepEqual(audit.lines(), []);
    });
  });
}
