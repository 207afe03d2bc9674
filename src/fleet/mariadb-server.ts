/**
 * Starts a MariaDB of this machine on a data directory of its own, as a peer to compare with.
 *
 * Same promises as ours: every commit flushed (`innodb_flush_log_at_trx_commit=1`), no binary log, a pool
 * as large as the caller says (the data, for a warm comparison), everything else at the server's defaults.
 * The options are returned, so that they can be printed beside the figures.
 */
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { LatheError } from "../kit/errors.ts";
import { LocalProcess } from "./local-process.ts";
import { processServer } from "./process-server.ts";
import type { RunningServer } from "./server.ts";

export interface MariadbStart {
  /** Created and initialised where it is missing or empty. Its path must be short: a socket lies in it. */
  readonly dataDirectory: string;
  readonly poolMiB?: number | undefined;
  readonly startTimeoutMs?: number | undefined;
}

export interface RunningMariadb extends RunningServer {
  readonly version: string;
  /** What it was started with, without paths. */
  readonly options: readonly string[];
}

const poolMiBDefault = 4096;
const startTimeoutMs = 60_000;
const programPaths = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];

/** The paths of MariaDB's programs, or undefined where it is not installed. */
export function findMariadb(): { server: string; initialise: string } | undefined {
  const find = (names: readonly string[]) =>
    [...programPaths, ...(process.env.PATH ?? "").split(":")]
      .flatMap((directory) => names.map((name) => join(directory, name)))
      .find((path) => existsSync(path));
  const server = find(["mariadbd", "mysqld"]);
  const initialise = find(["mariadb-install-db", "mysql_install_db"]);
  return server === undefined || initialise === undefined ? undefined : { server, initialise };
}

/** Errors: UNAVAILABLE (not installed), TIMEOUT, CLOSED (it ended before it listened). */
export async function startMariadb(start: MariadbStart): Promise<RunningMariadb> {
  const programs = findMariadb();
  if (programs === undefined) {
    throw new LatheError("UNAVAILABLE", "MariaDB is not installed: the package mariadb-server has it");
  }
  const asRoot = process.getuid?.() === 0 ? ["--user=root"] : [];
  const data = join(start.dataDirectory, "data");
  if (!existsSync(join(data, "mysql"))) await initialise(programs.initialise, data, asRoot);
  const password = randomBytes(12).toString("hex");
  const user = "lathe";
  const initFile = join(start.dataDirectory, "init.sql");
  writeFileSync(
    initFile,
    [
      "CREATE DATABASE IF NOT EXISTS lathe;",
      `CREATE USER IF NOT EXISTS '${user}'@'%' IDENTIFIED BY 'x';`,
      `SET PASSWORD FOR '${user}'@'%' = PASSWORD('${password}');`,
      `GRANT ALL ON *.* TO '${user}'@'%';`,
    ].join("\n"),
    { mode: 0o600 },
  );
  const pool = start.poolMiB ?? poolMiBDefault;
  const options = [
    `--innodb-buffer-pool-size=${pool}M`,
    `--innodb-log-file-size=${Math.max(96, Math.min(2048, Math.floor(pool / 2)))}M`,
    "--innodb-flush-log-at-trx-commit=1",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--max-allowed-packet=16M",
  ];
  const port = await freePort();
  const process_ = await LocalProcess.start({
    name: "MariaDB",
    command: programs.server,
    args: [
      "--no-defaults", ...asRoot, `--datadir=${data}`, "--bind-address=127.0.0.1", `--port=${port}`,
      `--socket=${join(start.dataDirectory, "socket")}`, `--pid-file=${join(start.dataDirectory, "pid")}`,
      `--init-file=${initFile}`, ...options,
    ],
  });
  try {
    await waitUntilReady(process_, start.startTimeoutMs ?? startTimeoutMs);
  } catch (error) {
    await process_.kill();
    throw error;
  }
  const socketPath = join(start.dataDirectory, "socket");
  const server = processServer(process_, { host: "127.0.0.1", port, socketPath, user, password, database: "lathe" });
  return { ...server, version: versionOf(programs.server), options };
}

async function initialise(program: string, data: string, asRoot: readonly string[]): Promise<void> {
  mkdirSync(data, { recursive: true });
  const rootMethod = "--auth-root-authentication-method=normal";
  const args = ["--no-defaults", `--datadir=${data}`, rootMethod, "--skip-test-db", ...asRoot];
  try {
    await promisify(execFile)(program, args);
  } catch (cause) {
    const { stderr, stdout } = cause as { stderr?: string; stdout?: string };
    throw new LatheError("IO_ERROR", `${program} failed: ${(stderr || stdout || String(cause)).trim()}`, { cause });
  }
}

/** MariaDB writes "ready for connections" to its log once it listens. */
async function waitUntilReady(process: LocalProcess, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!process.logTail.includes("ready for connections")) {
    if (process.end !== undefined) throw process.endError(process.end, "before it was ready");
    if (performance.now() > deadline) {
      throw new LatheError("TIMEOUT", `MariaDB was not ready within ${timeoutMs} ms; its log ends: ${process.logTail}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function versionOf(program: string): string {
  return /\d+\.\d+\.\d+\S*/.exec(execFileSync(program, ["--version"], { encoding: "utf8" }))?.[0] ?? "unknown";
}

/** A port that was free a moment ago; MariaDB cannot choose one itself. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address() as { port: number };
      probe.close(() => resolve(address.port));
    });
  });
}
