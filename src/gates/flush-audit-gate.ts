/**
 * Flush audit: every acknowledged write must be preceded by a device flush of what it wrote.
 *
 * kill -9 keeps the page cache, so a store that never flushes survives it; this gate watches the system calls instead.
 * Steps:
 *   1. Start the product, attach strace to all its threads, and send writes: first on many connections at once, as a
 *      store may flush well for one writer and not for a crowd, then one after the other on one connection.
 *   2. In the trace, find per write the arrival of its request on that socket, and its answer.
 *   3. Between these two there must be a write to a file of the data directory and, begun after that write, a completed
 *      fsync or fdatasync of the same file (or a write to a file opened with O_SYNC or O_DSYNC).
 * Where the contract allows a window of losses, a file must have been written between a request and its answer, and
 * flushed soon after: the trace of a loaded machine is no clock, so a second is added to the window, which itself is
 * examined in virtual time (`power-loss`).
 * Where strace is missing, the flush counter of the block device takes its place: sequential writes must raise it by at
 * least one each. Where neither is to be had (tmpfs has no device), the gate is inconclusive and says what to install.
 * Source: the fsync checks of Jepsen's LazyFS and of SQLite's VFS tests; trust is put in the kernel, not in the
 * product.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningServer } from "../fleet/server.ts";
import { seededNumbers } from "../simulation/simulated-env.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { connectGate, startSubject, type GateConnection } from "./gate-connection.ts";
import { lossWindowOf } from "./loss-window.ts";
import { verdictOf } from "./run-gates.ts";
import { auditTrace, auditWindow } from "./system-call-trace.ts";
import { tableNames } from "./table-names.ts";

const name = "flush-audit";
const crowdConnections = 12;
/** By how much a flush may come later than the window says, on a machine that does much else. */
const lateMs = 1000;

export function flushAuditGate(options: { writes: number; stage: Gate["stage"] }): Gate {
  const gateName = options.stage === "product" ? name : `${name}-short`;
  return {
    name: gateName,
    description:
      `${options.writes} sequential and ${options.writes * 2} concurrent writes: ` +
      "a device flush of the written file before each answer",
    stage: options.stage,
    timeoutMs: 90_000,
    run: (subject) => runAudit(gateName, options.writes, subject),
  };
}

async function runAudit(gateName: string, writes: number, subject: GateSubject): Promise<GateVerdict> {
  const server = await startSubject(subject);
  try {
    const connection = await connectGate(server.endpoint);
    const tables = tableNames(seededNumbers(subject.seed));
    for (const table of tables) {
      await connection.query(`CREATE TABLE ${table} (id BIGINT PRIMARY KEY, value VARCHAR(150))`);
    }
    // Before the trace begins: the answers of a login have nothing to flush.
    const crowd = await Promise.all(Array.from({ length: crowdConnections }, () => connectGate(server.endpoint)));
    return await auditFlushes(gateName, writes, subject, server, {
      concurrently: (count) => writeConcurrently(crowd, tables, count),
      sequentially: (count) => writeSequentially(connection, tables, count, subject.seed),
    });
  } finally {
    await server.kill();
  }
}

/** The writes of an audit, over whatever protocol; each resolves when all of its writes have been answered. */
export interface AuditedWrites {
  concurrently(writes: number): Promise<void>;
  sequentially(writes: number): Promise<void>;
}

/** The audit of a running product, which it ends. */
export async function auditFlushes(
  gateName: string,
  writes: number,
  subject: GateSubject,
  server: RunningServer,
  written: AuditedWrites,
): Promise<GateVerdict> {
  const verdict = verdictOf(gateName, performance.now());
  const dataDirectory = join(subject.workDirectory, "data");
  const windowMs = lossWindowOf(subject.productDirectory);
  try {
    if (spawnSync("strace", ["-V"]).status === 0) {
      const tracePath = join(subject.workDirectory, "trace");
      const tracer = await attach(server.processId, tracePath);
      if (tracer !== undefined) {
        await written.concurrently(writes * 2);
        // One more than is judged: the tracer may be stopped before it has noted the end of the last answer.
        await written.sequentially(writes + 1);
        if (windowMs !== undefined) await sleep(windowMs + lateMs);
        tracer.kill("SIGINT");
        await once(tracer, "exit");
        const place = { serverPort: server.endpoint.port, dataDirectory };
        const trace = readFileSync(tracePath, "latin1");
        if (windowMs !== undefined) return judgeWindow(verdict, trace, place, windowMs, writes * 3);
        const audit = auditTrace(trace, place);
        if (audit.answers < writes * 3) {
          return verdict.inconclusive(`the trace shows ${audit.answers} of ${writes * 3} answers`, { ...audit });
        }
        const all = `${audit.answers} of ${audit.answers}`;
        return audit.unflushed === 0
          ? verdict.admit(`${all} answers came after a flush (system calls traced)`, { ...audit })
          : verdict.reject(`${audit.unflushed} of ${audit.answers} answers came before a flush of what was written`, {
              ...audit,
            });
      }
    }
    const before = deviceFlushes(dataDirectory);
    if (before === undefined) {
      return verdict.inconclusive("neither strace nor a block device's flush counter: install strace (see doctor)");
    }
    await written.sequentially(writes);
    if (windowMs !== undefined) await sleep(windowMs + lateMs);
    const flushes = (deviceFlushes(dataDirectory) ?? before) - before;
    if (windowMs !== undefined && flushes > 0) {
      return verdict.admit(`${flushes} device flushes for ${writes} writes, window ${windowMs} ms`, { flushes });
    }
    return flushes >= writes
      ? verdict.admit(`${flushes} device flushes for ${writes} sequential writes (kernel's counter)`, { flushes })
      : verdict.reject(`${flushes} device flushes for ${writes} sequential writes (kernel's counter)`, { flushes });
  } finally {
    await server.kill();
  }
}

/** The gate's verdict on a product that may lose a window. */
function judgeWindow(
  verdict: ReturnType<typeof verdictOf>,
  trace: string,
  place: { readonly serverPort: number; readonly dataDirectory: string },
  windowMs: number,
  answersMin: number,
): GateVerdict {
  const audit = auditWindow(trace, { ...place, allowedMs: windowMs + lateMs });
  const { answers, unwritten, unflushed, early, flushes } = audit;
  const evidence = { ...audit };
  const judged = `${answers} of ${answersMin} answers`;
  if (answers < answersMin) return verdict.inconclusive(`the trace shows ${judged}`, evidence);
  if (unwritten > 0) {
    return verdict.reject(`${unwritten} of ${answers} answers came before what they are about was written`, evidence);
  }
  if (unflushed > 0) {
    const late = `within ${windowMs + lateMs} ms, with a window of ${windowMs} ms`;
    return verdict.reject(`${unflushed} of ${answers} answers had no flush of what was written ${late}`, evidence);
  }
  const reason = `${answers} answers came after the write and, ${early} of them, before its flush; ` +
    `${flushes} flushes covered all in time (system calls traced)`;
  return verdict.admit(reason, evidence);
}

async function attach(processId: number, tracePath: string): Promise<ChildProcess | undefined> {
  const calls =
    "read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev,pwritev2,fsync,fdatasync,openat,msync";
  const tracer = spawn(
    "strace",
    ["-f", "-yy", "-ttt", "-s", "4", "-e", `trace=${calls}`, "-o", tracePath, "-p", String(processId)],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let text = "";
  tracer.stderr?.on("data", (bytes: Buffer) => (text += bytes.toString()));
  for (let waited = 0; waited < 200; waited++) {
    if (/attached/.test(text)) {
      await sleep(50);
      return tracer;
    }
    if (tracer.exitCode !== null) return undefined;
    await sleep(20);
  }
  tracer.kill("SIGKILL");
  return undefined;
}

async function writeSequentially(connection: GateConnection, tables: readonly string[], writes: number, seed: number) {
  const next = seededNumbers(seed);
  for (let id = 0; id < writes; id++) {
    const value = Math.floor(next() * 2 ** 32).toString(36);
    const table = tables[id % tables.length];
    const [result] = await connection.query(`INSERT INTO ${table} (id, value) VALUES (${id}, '${value}')`);
    if (result?.error !== undefined) throw new Error(`a write was refused: ${result.error.message}`);
  }
}

/** At least `writes` writes, on all connections at once. Their keys lie beyond those of `writeSequentially`. */
async function writeConcurrently(crowd: readonly GateConnection[], tables: readonly string[], writes: number) {
  const each = Math.ceil(writes / crowd.length);
  const running = crowd.map(async (connection, number) => {
    const table = tables[number % tables.length];
    for (let count = 0; count < each; count++) {
      const id = 1_000_000 + number * each + count;
      const [result] = await connection.query(`INSERT INTO ${table} (id, value) VALUES (${id}, 'crowd')`);
      if (result?.error !== undefined) throw new Error(`a write was refused: ${result.error.message}`);
    }
  });
  await Promise.all(running);
}

/** Flush requests that the block device below a directory has completed, or undefined. */
function deviceFlushes(directory: string): number | undefined {
  try {
    const device = statSync(directory).dev;
    const major = (device >> 8) & 0xfff;
    const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
    const fields = readFileSync(`/sys/dev/block/${major}:${minor}/stat`, "utf8").trim().split(/\s+/);
    return fields.length >= 16 ? Number(fields[15]) : undefined;
  } catch {
    return undefined;
  }
}
