/**
 * Strangers attack a running product with both surfaces, while honest clients verify every answer.
 *
 *   node test/attack/attack.ts [--minutes 5] [--connections 2000] [--seed 1] [--only NAME]
 *
 * A tenth of the connections is hostile (`hostile.ts`), the others are honest (`honest.ts`). Held:
 *   1. no honest client gets a wrong answer, or an error but "no place just now";
 *   2. no stranger is answered what it must not be;
 *   3. afterwards the server has no connection left but ours, as many sockets as before, and memory within a bound of
 *   what it had after a first tenth of the time, which warms it up.
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { buildFromContract } from "../../src/app/build.ts";
import { LocalProcess } from "../../src/fleet/local-process.ts";
import { connectGate, type GateConnection } from "../../src/gates/gate-connection.ts";
import { seededNumbers } from "../../src/simulation/simulated-env.ts";
import { attacks, type Victim } from "./hostile.ts";
import { beHonest, type HonestCounts } from "./honest.ts";

export interface AttackRequest {
  readonly seconds: number;
  readonly connections: number;
  readonly seed: number;
  /** How long strangers wait for the server to close on them. */
  readonly patienceMs: number;
  /** One kind of attack alone. */
  readonly only?: string | undefined;
}

export interface AttackOutcome {
  readonly honest: HonestCounts;
  /** How often each attack was made. */
  readonly attacks: Readonly<Record<string, number>>;
  /** What was wrong, all of it. */
  readonly faults: readonly string[];
  readonly sockets: { readonly before: number; readonly after: number };
  readonly residentMiB: { readonly before: number; readonly after: number };
}

const example = join(import.meta.dirname, "..", "..", "examples", "sndv-kv", "contract.yaml");
const user = "lathe";
const password = "a stranger has it not";
const hostileShare = 0.1;
const rowsForReaders = 2000;
/** What garbage that V8 has yet to collect, and caches that fill up, may add. */
const growthMiBMax = 96;

/** Builds and starts the product, attacks it, looks at what is left, and removes it. */
export async function attack(request: AttackRequest): Promise<AttackOutcome> {
  const work = mkdtempSync(join(tmpdir(), "lathe-attack-"));
  try {
    const server = await startVictim(work, request);
    try {
      return await attackServer(server.process, server.victim, request);
    } finally {
      await server.process.kill();
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function startVictim(work: string, { connections, patienceMs }: AttackRequest) {
  const contractFile = join(work, "contract.yaml");
  const text = readFileSync(example, "utf8").replace("protocols: [http]", "protocols: [mysql, http]")
    .replace("length_max: 1048576", "length_max: 65535")
    .replace("  - SQL over the network, and transactions of several requests\n", "");
  writeFileSync(contractFile, text);
  const directory = join(work, "product");
  buildFromContract({ contractFile, directory });
  const knobs = {
    "mysql.connections_max": connections, "mysql.login_timeout_ms": Math.ceil(patienceMs / 3),
    "mysql.slow_reader_timeout_ms": Math.ceil(patienceMs / 3), "mysql.waiting_timeout_ms": Math.ceil(patienceMs / 3),
    "http.connections_max": connections,
  };
  const started = await LocalProcess.start({
    name: "victim", command: process.execPath,
    args: [
      join(directory, "main.js"), "--data", join(work, "data"), "--mysql-port", "0", "--http-port", "0",
      ...Object.entries(knobs).flatMap(([name, value]) => ["--knob", `${name}=${value}`]),
    ],
    environment: { LATHE_PASSWORD: password },
  });
  const line = await started.waitForLine((one) => (one.includes("listening") ? one : undefined), 30_000);
  const { mysqlPort, httpPort } = JSON.parse(line) as { mysqlPort: number; httpPort: number };
  const victim: Victim = { mysqlPort, httpPort, user, password, table: "kv", patienceMs };
  return { process: started, victim };
}

async function attackServer(server: LocalProcess, victim: Victim, request: AttackRequest): Promise<AttackOutcome> {
  const reader = await connectGate({ host: "127.0.0.1", port: victim.mysqlPort, user, password });
  for (let id = 0; id < rowsForReaders; id++) {
    const values = `('wide-${id}', '${"w".repeat(2000)}', 1, NULL)`;
    const [{ error }] = await reader.query(`REPLACE INTO kv (k, v, version, expires_ms) VALUES ${values}`);
    if (error !== undefined) throw new Error(error.message);
  }
  const honest: HonestCounts = { answers: 0, refused: 0, slowestMs: 0, wrong: [] };
  const counts: Record<string, number> = {};
  const faults: string[] = [];
  const wave = (seconds: number, seed: number) =>
    oneWave(victim, { ...request, seconds, seed }, honest, counts, faults);
  await wave(request.seconds / 10, request.seed);
  const before = await calm(server, reader, victim);
  await wave(request.seconds, request.seed + 1);
  const after = await calm(server, reader, victim);
  await reader.close();
  faults.push(...honest.wrong.map((one) => `honest: ${one}`));
  if (after.connections > 1) faults.push(`${after.connections} connections are left beside ours`);
  if (after.sockets > before.sockets) faults.push(`${after.sockets} sockets are open; there were ${before.sockets}`);
  const grownMiB = after.residentMiB - before.residentMiB;
  if (grownMiB > growthMiBMax) faults.push(`memory grew by ${grownMiB.toFixed(0)} MiB`);
  return {
    honest, attacks: counts, faults,
    sockets: { before: before.sockets, after: after.sockets },
    residentMiB: { before: Math.round(before.residentMiB), after: Math.round(after.residentMiB) },
  };
}

async function oneWave(
  victim: Victim, { seconds, connections, seed, only }: AttackRequest, honest: HonestCounts,
  counts: Record<string, number>, faults: string[],
): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  const going = () => performance.now() < endMs;
  const chosen = only === undefined ? attacks : attacks.filter(([name]) => name.includes(only));
  const hostile = Math.max(1, Math.round(connections * hostileShare));
  const running: Promise<void>[] = [];
  for (let number = 0; number < connections - hostile; number++) {
    const next = seededNumbers(seed * 7919 + number);
    const name = `honest-${seed}`;
    running.push(sleep(number % 1000).then(() => beHonest(victim, number, name, next, going, honest)));
  }
  const attackOnAndOn = async (number: number) => {
    const next = seededNumbers(seed * 104_729 + number);
    // Each begins somewhere else, so that a short wave has all of them too.
    for (let turn = number; going(); turn += 1 + Math.floor(next() * 3)) {
      const [name, make] = chosen[turn % chosen.length];
      counts[name] = (counts[name] ?? 0) + 1;
      const fault = await make(victim, next);
      if (fault !== undefined) faults.push(`${name}: ${fault}`);
    }
  };
  for (let number = 0; number < hostile; number++) running.push(attackOnAndOn(number));
  await Promise.all(running);
}

interface Look {
  readonly connections: number;
  readonly sockets: number;
  readonly residentMiB: number;
}

/** What the server holds when it has come to rest, or after a while. */
async function calm({ processId }: LocalProcess, reader: GateConnection, victim: Victim): Promise<Look> {
  let last: Look = { connections: 0, sockets: 0, residentMiB: 0 };
  let same = 0;
  for (let waited = 0; waited < victim.patienceMs + 25_000 && same < looksAlike; waited += 250) {
    await sleep(250);
    const [{ rows }] = await reader.query("SHOW PROCESSLIST");
    const [sockets, residentMiB] = [socketsOf(processId), residentMiBOf(processId)];
    const now = { connections: rows.length, sockets, residentMiB };
    same = now.connections <= 1 && now.sockets === last.sockets ? same + 1 : 0;
    last = now;
  }
  return last;
}

/** So many looks with equal sockets, and no connection but ours, are rest. */
const looksAlike = 8;

function socketsOf(processId: number): number {
  return readdirSync(`/proc/${processId}/fd`).filter((name) => {
    try {
      return readlinkSync(`/proc/${processId}/fd/${name}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}

function residentMiBOf(processId: number): number {
  const status = readFileSync(`/proc/${processId}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "5" }, connections: { type: "string", default: "2000" },
      seed: { type: "string", default: "1" }, only: { type: "string" },
    },
  });
  const outcome = await attack({
    seconds: Number(values.minutes) * 60, connections: Number(values.connections), seed: Number(values.seed),
    patienceMs: 24_000, only: values.only,
  });
  const { wrong: _, ...honest } = outcome.honest;
  console.log(JSON.stringify({ ...outcome, honest, faults: outcome.faults.slice(0, 30) }, undefined, 1));
  process.exit(outcome.faults.length === 0 ? 0 : 1);
}
