// An authenticator app: RFC 6238 as every one of them has it.
import { createHmac } from "node:crypto";
import { setTimeout } from "node:timers/promises";

const HALF_MINUTE = 30_000;
const BASE_32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function bytes(text) {
  const bits = [...text.replaceAll(" ", "")].map((letter) => BASE_32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

export class App {
  /** @param {string} secret base 32, blanks allowed */
  constructor(secret) {
    this.secret = bytes(secret);
    this.shown = 0;
  }

  /** A code that the server takes now, and that was not shown yet. */
  async code() {
    // Each is good a half minute early and a half minute late, and each once: whoever needs many waits for the clock.
    while (this.shown > Date.now() / HALF_MINUTE) await setTimeout(500);
    this.shown = Math.max(this.shown + 1, Math.floor(Date.now() / HALF_MINUTE) - 1);
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(this.shown));
    const hash = createHmac("sha1", this.secret).update(counter).digest();
    const number = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff;
    return String(number % 1_000_000).padStart(6, "0");
  }
}

/** Reads the key off that can be typed into an app; the code that it is offered in is on the screen too. */
export async function newApp(device) {
  await device.page.getByRole("img", { name: "QR code for your authenticator app" }).waitFor();
  await device.page.getByText("It cannot be scanned").click();
  return new App(await device.page.locator("#totp-secret").innerText());
}
