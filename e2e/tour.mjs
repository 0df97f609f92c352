// Pictures of every screen, for eyes: `npm run tour` puts them into the folder SHOTS. Nothing is checked here.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Clinic, PHONE, VET } from "./support/clinic.mjs";
import { freshDatabase, stopCluster } from "./support/postgres.mjs";
import { SlowLine } from "./support/slow_line.mjs";
import * as walk from "./support/walk.mjs";

const SHOTS = process.env.SHOTS ?? "shots";
const KINDS = { desktop: {}, phone: PHONE };
/** Only these kinds of device, and only screens whose name has this in it: a tour takes minutes. */
const kinds = Object.keys(KINDS).filter((kind) => (process.env.KIND ?? kind) === kind);
const wanted = new RegExp(process.env.ONLY ?? "");

const clinic = await Clinic.start({ patients: 200, databaseUrl: await freshDatabase() });
const small = await Clinic.start({ patients: 20, years: 1 });
const line = await SlowLine.to(clinic.port);
try {
  let begun;
  for (const kind of kinds) {
    const folder = join(SHOTS, kind);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    let count = 0;
    const taking = (device) => async (screen) => {
      count += 1;
      if (!wanted.test(screen)) return;
      for (const theme of ["light", "dark"]) {
        await device.page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        const name = `${String(count).padStart(2, "0")} ${screen}, ${theme}.png`.replaceAll(/[ ,]+/g, "-");
        await device.page.screenshot({ path: join(folder, name) });
      }
    };
    const vet = await clinic.profile({ ...KINDS[kind], address: line.address });
    const at = taking(vet);
    await walk.arrival(vet, line, VET, at);
    await walk.theDay(vet, at);
    await walk.overThePage(vet, at);
    await walk.people(vet, at);
    await walk.ownersApp(vet, at);
    begun = await walk.visit(vet, begun, at);
    await walk.elsewhere(vet, at);
    await walk.secondWindow(vet, at);
    await walk.locking(vet, at);
    await walk.hardTimes(vet, VET, at);
    await vet.close();
    const other = await clinic.profile(KINDS[kind]);
    await walk.owner(other, taking(other));
    await walk.noStore(other, taking(other));
    await other.close();
    const person = await small.profile(KINDS[kind]);
    await walk.accounts(person, taking(person));
    await person.close();
    console.log(`${kind}: ${count} screens in ${folder}`);
  }
} finally {
  await clinic.stop();
  await small.stop();
  line.close();
  await stopCluster();
}
