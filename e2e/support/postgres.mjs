// Databases of a Postgres cluster: the one at TEST_DATABASE_URL, or a private one that lives as long as this process.
import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";

/** Debian keeps the programs that make a cluster out of PATH, in a folder for each version. */
function programs() {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((one, other) => other - one) : [];
  const folders = [...versions.map((version) => join(debian, version, "bin")), ...process.env.PATH.split(delimiter)];
  const found = folders.find((folder) => existsSync(join(folder, "initdb")));
  if (!found) throw new Error("Postgres' programs are not installed (Debian: apt-get install postgresql)");
  return found;
}

/** Postgres refuses to run as root. */
function asPostgres(script) {
  const shell = ["sh", "-c", script];
  return process.getuid() === 0 ? ["runuser", "-u", "postgres", "--", ...shell] : shell;
}

/** A private cluster in a temporary folder, reached by a socket in it. */
export class Cluster {
  static async start() {
    const cluster = new Cluster();
    cluster.folder = join(tmpdir(), `postgres-${randomUUID()}`);
    cluster.url = `postgres://postgres@localhost/postgres?host=${cluster.folder}`;
    // The shell ends the cluster when its input closes, so also when this process dies.
    const [program, ...words] = asPostgres(`set -e; PATH=${programs()}:$PATH; mkdir -m 700 ${cluster.folder}
      trap 'pg_ctl -D ${cluster.folder}/data -m immediate -w stop >&2; rm -rf ${cluster.folder}' EXIT
      initdb -D ${cluster.folder}/data -U postgres -A trust -E UTF8 --no-locale --no-sync >&2
      ${cluster.startWords}; echo ready; cat`);
    cluster.keeper = spawn(program, words, { cwd: "/", stdio: ["pipe", "pipe", "pipe"] });
    cluster.ended = once(cluster.keeper, "exit");
    const complaints = text(cluster.keeper.stderr);
    const said = await Promise.race([once(cluster.keeper.stdout, "data"), cluster.ended]);
    if (String(said[0]).trim() !== "ready") throw new Error(`Postgres did not start: ${await complaints}`);
    return cluster;
  }

  /** Processes die in these stories, machines do not, so nothing has to wait for the disk. */
  get startWords() {
    const options = `-c listen_addresses= -c unix_socket_directories=${this.folder} -c fsync=off -c max_connections=200`;
    return `pg_ctl -D ${this.folder}/data -l ${this.folder}/log -w -o "${options}" start >&2`;
  }

  /** Its processes end at once, as with `kill -9`: what was not committed is gone. */
  kill() {
    this.control(`pg_ctl -D ${this.folder}/data -m immediate -w stop`);
  }

  restart() {
    this.control(this.startWords);
  }

  control(words) {
    const [program, ...rest] = asPostgres(`PATH=${programs()}:$PATH; ${words}`);
    execFileSync(program, rest, { cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
  }

  async stop() {
    this.keeper.stdin.end();
    await this.ended;
  }
}

let shared;

/** The address of a new database, and of the cluster that was begun for it, if one was. */
export async function freshDatabase(cluster) {
  if (!cluster && !process.env.TEST_DATABASE_URL) shared ??= await Cluster.start();
  const url = new URL(cluster?.url ?? process.env.TEST_DATABASE_URL ?? shared.url);
  const name = `browser_${randomUUID().replaceAll("-", "")}`;
  sql(url.href, `create database ${name}`);
  url.pathname = `/${name}`;
  return url.href;
}

/** Ends the private cluster, if this process began one. */
export async function stopCluster() {
  await shared?.stop();
  shared = undefined;
}

export function sql(url, statement) {
  return execFileSync("psql", [url, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", statement], { encoding: "utf8" });
}
