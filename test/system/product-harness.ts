/** A product as a child process: started, asked by a MySQL client or over HTTP, stopped. For system tests. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import type { Connection } from "mysql2/promise";

const startTimeoutMs = 120_000;

/** The contract of the bulk ingest, which has secondary indexes; every commit is flushed, transactions as wanted. */
export function indexedContract(transactions: "one_shot" | "interactive"): string {
  const file = join(import.meta.dirname, "..", "..", "examples", "bulk-ingest", "contract.yaml");
  const changes = [
    [/transactions: one_shot/, `transactions: ${transactions}`],
    [/durability: interval, loss_window_ms: \d+/, "durability: every_commit"],
    [/^ .*oracle: power-loss }\n/m, ""],
  ] as const;
  return changes.reduce((text, [pattern, replacement]) => {
    assert.match(text, pattern, `${file} is another than this expects`);
    return text.replace(pattern, replacement);
  }, readFileSync(file, "utf8"));
}

export interface StartedServer {
  readonly process: ChildProcess;
  /** What it wrote to stderr so far. */
  log(): string;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended>;
}

export interface StartedProduct extends StartedServer {
  readonly mysqlPort: number;
  readonly metricsPort: number | undefined;
}

export interface StartedHttpProduct extends StartedServer {
  readonly httpPort: number;
  readonly url: string;
}

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const user = "lathe";
export const password = "a password";

/** Runs a product's `main.js` to its end, for starts that are expected to fail; as another user where one is given. */
export function runMain(product: string, args: readonly string[], userId?: number): Promise<Ended> {
  return ended(launch(product, args, {}, userId));
}

/** Starts a product that speaks MySQL and waits until it listens. */
export async function startProduct(
  product: string,
  args: readonly string[],
  environment: Record<string, string> = { LATHE_PASSWORD: password },
): Promise<StartedProduct> {
  const { server, bound } = await listening(launch(product, ["--mysql-port", "0", ...args], environment));
  return { ...server, mysqlPort: bound.mysqlPort, metricsPort: bound.metricsPort ?? undefined };
}

/** Starts a product that speaks HTTP and waits until it listens. */
export async function startHttpProduct(product: string, args: readonly string[]): Promise<StartedHttpProduct> {
  const { server, bound } = await listening(launch(product, ["--http-port", "0", ...args], {}));
  return { ...server, httpPort: bound.httpPort, url: `http://127.0.0.1:${bound.httpPort}` };
}

interface Bound {
  readonly mysqlPort: number;
  readonly httpPort: number;
  readonly metricsPort: number | null;
}

async function listening(child: ChildProcess): Promise<{ server: StartedServer; bound: Bound }> {
  let stderr = "";
  child.stderr?.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  const end = ended(child);
  const told = new Promise<Bound>((resolve) => {
    let stdout = "";
    child.stdout?.on("data", (bytes: Buffer) => {
      stdout += bytes.toString();
      const line = stdout.split("\n").find((one) => one.includes('"event":"listening"'));
      if (line !== undefined && stdout.includes(`${line}\n`)) resolve(JSON.parse(line));
    });
  });
  const bound = await Promise.race([
    told,
    end.then(({ exitCode }) => assert.fail(`the product ended with ${exitCode} before it listened: ${stderr}`)),
    new Promise<never>((_, reject) => {
      const late = () => reject(new Error(`no listening line within ${startTimeoutMs} ms: ${stderr}`));
      setTimeout(late, startTimeoutMs).unref();
    }),
  ]);
  const server: StartedServer = {
    process: child,
    log: () => stderr,
    async end(signal) {
      child.kill(signal);
      return await end;
    },
  };
  return { server, bound };
}

export function connectTo(
  product: StartedProduct,
  credentials: { user?: string; password?: string } = {},
): Promise<Connection> {
  return createConnection({
    host: "127.0.0.1",
    port: product.mysqlPort,
    user,
    password,
    multipleStatements: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    ...credentials,
  });
}

/** Gives a directory that is gone afterwards, with every product that was started meanwhile. */
export async function withTemporaryDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "lathe-system-"));
  try {
    await use(directory);
  } finally {
    killRunning();
    rmSync(directory, { recursive: true, force: true });
  }
}

const running = new Set<ChildProcess>();

/** Ends every product that was started here and still runs. */
export function killRunning(): void {
  for (const child of running) child.kill("SIGKILL");
}

function launch(
  product: string,
  args: readonly string[],
  environment: Record<string, string>,
  userId?: number,
): ChildProcess {
  const { LATHE_PASSWORD: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [join(product, "main.js"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...inherited, ...environment },
    ...(userId === undefined ? {} : { uid: userId, gid: userId }),
  });
  running.add(child);
  child.on("close", () => running.delete(child));
  return child;
}

function ended(child: ChildProcess): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
  child.stderr?.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  return new Promise((resolve) => {
    child.on("close", (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
}
