/**
 * Power-loss gate: the product's own code on a simulated disk that loses power at I/O calls of a short scenario.
 *
 * Steps:
 *   1. Open the product in this process, through its `open`, with a simulated environment. Run the scenario once
 *      without faults and count the disk's calls.
 *   2. For calls spread over the scenario: run it again, lose power at that call, keep of the unsynced writes what the
 *      seed says (any subset, torn at sectors), and open the product on what is left.
 *   3. What was acknowledged must be there; a transaction is whole or absent; the store must open.
 * Source: SQLite's crash tests (fail at the n-th call, for every n), FoundationDB's non-durable files.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { OpenProduct, Product } from "../kit/product.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../simulation/simulated-env.ts";
import { SimulatedDisk } from "../simulation/simulated-disk.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { verdictOf } from "./run-gates.ts";
import { shrunkKnobs } from "./shrunk-knobs.ts";

const name = "power-loss";
const dataDirectory = "/data";
const groups = 24;
const rowsPerGroup = 3;

export function powerLossGate(options: { points: number; stage: "candidate" | "product" }): Gate {
  const gateName = options.stage === "product" ? name : `${name}-short`;
  return {
    name: gateName,
    description: `power lost at ${options.points} I/O calls of a scenario; what was acknowledged is there, and whole`,
    stage: options.stage,
    timeoutMs: options.stage === "product" ? 90_000 : 15_000,
    run: (subject) => runPowerLoss(gateName, options.points, subject),
  };
}

async function runPowerLoss(gateName: string, points: number, subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(gateName, performance.now());
  const url = pathToFileURL(join(subject.productDirectory, "product.ts")).href;
  const { open } = (await import(url)) as { open: OpenProduct };
  const scenario = new Scenario(open, shrunkKnobs(subject), subject.seed);
  const whole = await scenario.run(new SimulatedDisk());
  if (whole.acknowledged !== groups) {
    return verdict.inconclusive(`without faults only ${whole.acknowledged} of ${groups} transactions were acknowledged`);
  }
  const { next } = createSimulatedEnv({ seed: subject.seed, disk: new SimulatedDisk() });
  let crashes = 0;
  let unacknowledgedWhole = 0;
  for (let point = 0; point < points; point++) {
    if (subject.signal?.aborted) return verdict.inconclusive("stopped on request");
    const call = 1 + Math.floor(((point + next()) / points) * whole.calls);
    const disk = new SimulatedDisk();
    disk.fault = { call, code: "CRASH", persistent: true };
    const { acknowledged } = await scenario.run(disk);
    if (!disk.crashed) continue;
    crashes++;
    const found = await scenario.recover(disk.crash(next));
    const offence = typeof found === "string" ? found : judge(found, acknowledged);
    if (offence !== undefined) {
      return verdict.reject(`power lost at call ${call} of ${whole.calls}: ${offence}`, {
        seed: subject.seed,
        call,
        acknowledged,
      });
    }
    if (typeof found !== "string" && found.size > acknowledged) unacknowledgedWhole++;
  }
  if (crashes < points / 2) return verdict.inconclusive(`only ${crashes} of ${points} runs lost power`);
  return verdict.admit(`${crashes} power losses over ${whole.calls} I/O calls: nothing lost, nothing half there`, {
    seed: subject.seed,
    crashes,
    calls: whole.calls,
    unacknowledgedWhole,
  });
}

/** Rows found per group of one transaction. */
type Found = ReadonlyMap<number, number>;

function judge(found: Found, acknowledged: number): string | undefined {
  for (let group = 0; group < acknowledged; group++) {
    const rows = found.get(group) ?? 0;
    if (rows !== rowsPerGroup) return `acknowledged transaction ${group} has ${rows} of its ${rowsPerGroup} rows`;
  }
  for (const [group, rows] of found) {
    if (rows !== rowsPerGroup) return `transaction ${group} is half there: ${rows} of its ${rowsPerGroup} rows`;
  }
  return undefined;
}

class Scenario {
  readonly #open: OpenProduct;
  readonly #knobs: GateSubject["knobs"];
  readonly #seed: number;

  constructor(open: OpenProduct, knobs: GateSubject["knobs"], seed: number) {
    this.#open = open;
    this.#knobs = knobs;
    this.#seed = seed;
  }

  /** Runs until the end or the loss of power; how many transactions were acknowledged, in order. */
  async run(disk: SimulatedDisk): Promise<{ acknowledged: number; calls: number }> {
    const env = createSimulatedEnv({ seed: this.#seed, disk });
    let acknowledged = 0;
    try {
      const product = await env.run(this.#open(env, this.#knobs, { dataDirectory }));
      await this.#write(env, product, () => acknowledged++);
      await env.run(product.close());
    } catch (error) {
      if (!disk.crashed) throw error;
    }
    return { acknowledged, calls: disk.calls };
  }

  /** Opens the product on what a crash has left: rows per group, or what was wrong. */
  async recover(disk: SimulatedDisk): Promise<Found | string> {
    const env = createSimulatedEnv({ seed: this.#seed + 1, disk });
    try {
      const product = await env.run(this.#open(env, this.#knobs, { dataDirectory }));
      const found = new Map<number, number>();
      const rows = await env
        .run(product.query("SELECT id, value FROM t WHERE id >= 0 ORDER BY id LIMIT 1000000"))
        .then(([result]) => result.rows)
        .catch((error: Error) => {
          if (/exist|unknown/i.test(error.message)) return [];
          throw error;
        });
      for (const [id, value] of rows) {
        const group = Math.floor(Number(id) / rowsPerGroup);
        if (textOf(value) !== valueOf(Number(id))) return `row ${id} has a value that was never written`;
        found.set(group, (found.get(group) ?? 0) + 1);
      }
      await env.run(product.close());
      return found;
    } catch (error) {
      return `the store does not open or cannot be read: ${(error as Error).message}`;
    }
  }

  async #write(env: SimulatedEnv, product: Product, acknowledge: () => void): Promise<void> {
    await env.run(product.query("CREATE TABLE t (id BIGINT PRIMARY KEY, value VARCHAR(4000))"));
    for (let group = 0; group < groups; group++) {
      const inserts = Array.from({ length: rowsPerGroup }, (_, row) => {
        const id = group * rowsPerGroup + row;
        return `INSERT INTO t (id, value) VALUES (${id}, '${valueOf(id)}')`;
      });
      await env.run(product.query(`START TRANSACTION; ${inserts.join("; ")}; COMMIT`));
      acknowledge();
      if (group === groups >> 1) await env.run(product.rewrite());
    }
  }
}

/** About 1 KiB, so that a transaction spans sectors and can be torn. */
function valueOf(id: number): string {
  return `${id}-`.repeat(1000).slice(0, 700 + (id % 5) * 100);
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value);
}
