// The mails that a server without a mail server writes into its folder.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** The bytes of a part's body, as its head says that they are written. */
function decoded(head, body) {
  const encoding = /^content-transfer-encoding: *(\S+)/im.exec(head)?.[1].toLowerCase();
  if (encoding === "base64") return Buffer.from(body, "base64").toString("utf8");
  if (encoding !== "quoted-printable") return body;
  const bytes = body.replaceAll(/=\r?\n/g, "").replaceAll(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

const split = (text) => {
  const at = text.search(/\r?\n\r?\n/);
  return [text.slice(0, at), text.slice(at).trim()];
};

/** The words of a mail without its looks. */
function plain(mail) {
  const [head, body] = split(mail);
  const boundary = /boundary="?([^"\r\n;]+)/i.exec(head)?.[1];
  if (!boundary) return decoded(head, body);
  const parts = body.split(`--${boundary}`).map((part) => split(part.trim()));
  const [partHead, partBody] = parts.find(([head]) => /text\/plain/i.test(head));
  return decoded(partHead, partBody);
}

export class Mailbox {
  /** What comes to this address from now on. */
  constructor(clinic, address) {
    this.folder = join(clinic.env.DATA, "mail");
    this.address = address;
    this.read = new Set(this.files());
  }

  files() {
    try {
      return readdirSync(this.folder).sort();
    } catch {
      return []; // the first mail makes the folder
    }
  }

  /** The words of the next mail. */
  async next() {
    const late = Date.now() + 20_000;
    while (Date.now() < late) {
      for (const file of this.files().filter((file) => !this.read.has(file))) {
        const mail = readFileSync(join(this.folder, file), "utf8");
        if (!/\n--[^\n]+--\s*$/.test(mail)) continue; // not all of it is written
        this.read.add(file);
        if (new RegExp(`^to:.*${this.address.replaceAll(".", "\\.")}`, "im").test(mail)) return plain(mail);
      }
      await setTimeout(50); // a folder tells nobody when it is written to
    }
    throw new Error(`no mail came to ${this.address}`);
  }

  /** The link in the next mail. */
  async link() {
    const words = await this.next();
    const link = /https?:\/\/\S+#\S+/.exec(words)?.[0];
    if (!link) throw new Error(`no link in: ${words}`);
    return link;
  }
}
