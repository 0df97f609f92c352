// Clients made with automerge-repo as it comes from the registry: a Repo with the library's own WebSocket adapter.
// (package.json holds `cbor-extract`, which the library can do without, at 2.2.2: 2.2.3 names binaries that the registry
// does not have, and `npm ci` insists on them.)
import { Repo, stringifyAutomergeUrl } from "@automerge/automerge-repo";
import { WebSocketClientAdapter } from "@automerge/automerge-repo-network-websocket";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { PASSWORD } from "./clinic.mjs";

/** How long a client waits before it tries again, in milliseconds. */
const RETRY = 200;
const PATIENCE = 20_000;

async function post(url, body, headers = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${url}: ${response.status}`);
  return response.json();
}

/** Signs in and asks for an address to connect to; as docs/automerge-repo.md says. */
export async function ticketFor(clinic, email) {
  const device = randomUUID();
  const signedIn = await post(`${clinic.address}/api/v1/sign-in`, { email, password: PASSWORD, device });
  const { path } = await post(`${clinic.address}/api/v1/automerge-repo/ticket`, undefined, {
    authorization: `Bearer ${signedIn.access_token}`,
  });
  return { principal: signedIn.principal, address: new URL(path, clinic.address.replace(/^http/, "ws")).href };
}

/** The name that automerge-repo has for one of our ids. */
export const urlOf = (id) => stringifyAutomergeUrl(Uint8Array.from(Buffer.from(id.replaceAll("-", ""), "hex")));

/** Those that have not left; a story that fails leaves none behind. */
const present = new Set();
export const allLeave = () => present.forEach((guest) => guest.leave());

export class Guest {
  static async join(clinic, email) {
    const { principal, address } = await ticketFor(clinic, email);
    const guest = await Guest.at(address);
    guest.principal = principal;
    return guest;
  }

  static async at(address) {
    const guest = new Guest();
    present.add(guest);
    guest.adapter = new WebSocketClientAdapter(address, RETRY);
    guest.repo = new Repo({ network: [guest.adapter] });
    await guest.repo.networkSubsystem.whenReady();
    return guest;
  }

  /** A handle on the document with one of our ids. */
  open(id) {
    return this.repo.find(urlOf(id));
  }

  leave() {
    // A retry that is due already would outlive the disconnection, and with it this process.
    this.adapter.connect = () => {};
    this.adapter.disconnect();
    present.delete(this);
  }
}

/** Until what a handle holds is as it should be. */
export function holds(handle, what, done) {
  if (done(handle.doc())) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const look = () => {
      if (!done(handle.doc())) return;
      finish();
      resolve();
    };
    const late = setTimeout(() => {
      finish();
      reject(new Error(`waited too long until ${what}: ${JSON.stringify(handle.doc())}`));
    }, PATIENCE);
    const finish = () => {
      clearTimeout(late);
      handle.off("change", look);
    };
    handle.on("change", look);
  });
}

/** The next thing that the server says about a document without keeping it. */
export function told(handle) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("nothing was said")), PATIENCE);
    handle.once("ephemeral-message", ({ message }) => {
      clearTimeout(late);
      resolve(message);
    });
  });
}

/** Until the server has said that it has everything that this handle holds. */
export function atTheClinic(handle, clinic) {
  const there = () => {
    const heads = handle.getSyncInfo(clinic)?.lastHeads;
    return heads && JSON.stringify([...heads].sort()) === JSON.stringify([...handle.heads()].sort());
  };
  if (there()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const look = () => {
      if (!there()) return;
      finish();
      resolve();
    };
    const late = setTimeout(() => {
      finish();
      reject(new Error("the clinic has not got it"));
    }, PATIENCE);
    const finish = () => {
      clearTimeout(late);
      handle.off("remote-heads", look);
    };
    handle.on("remote-heads", look);
  });
}
