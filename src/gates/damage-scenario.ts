/**
 * What the damage gate does with a product: fill it, stop it, flip a bit, open it again, read everything.
 *
 * Values are pseudo-random letters, so that any byte of a block belongs to a row whose value shows the flip.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { errorCodeOf } from "../kit/errors.ts";
import type { KnobValues, OpenProduct, Product } from "../kit/product.ts";
import { SimulatedDisk } from "../simulation/simulated-disk.ts";
import { createSimulatedEnv, seededNumbers, type SimulatedEnv } from "../simulation/simulated-env.ts";
import type { ScenarioOutcome, ScenarioTask } from "./gate-thread.ts";
import { RandomLetters } from "./random-letters.ts";
import { rowDoor } from "./row-door.ts";
import { tableNames } from "./table-names.ts";

const dataDirectory = "/data";
const rows = 180;
const rowsPerStatement = 12;
const rowBytes = 16_000;
/** So many of the flips strike tables; the rest goes to the small files, which would hardly ever be met otherwise. */
const tableShare = 0.7;

export interface DamageTask extends ScenarioTask {
  readonly flips: number;
}

export async function examineDamage({ productDirectory, knobs, seed, flips }: DamageTask): Promise<ScenarioOutcome> {
  const url = pathToFileURL(join(productDirectory, "product.ts")).href;
  const { open } = (await import(url)) as { open: OpenProduct };
  const next = seededNumbers(seed);
  const store = new DamagedStore(open, knobs, seed, tableNames(next)[1], new RandomLetters(next));
  const written = new SimulatedDisk();
  await store.fill(written);
  const whole = await store.read(written.crash(next), "");
  if (whole.offence !== undefined || whole.refused > 0 || !whole.opened) {
    const reason = `before anything was damaged, ${whole.offence ?? `${whole.refused} reads failed`}`;
    return { verdict: "reject", reason, evidence: { seed } };
  }
  const counts = { seed, flips: 0, refusedReads: 0, unopened: 0, unnoticed: 0, kinds: {} as Record<string, number> };
  for (let flip = 0; flip < flips; flip++) {
    const disk = written.crash(next);
    const { path, position, bit } = choose(disk, next);
    disk.flipBit(path, position, bit);
    counts.flips++;
    const kind = kindOf(path);
    counts.kinds[kind] = (counts.kinds[kind] ?? 0) + 1;
    const { offence, refused, opened } = await store.read(disk, path);
    if (offence !== undefined) {
      const reason = `with bit ${bit} of byte ${position} of ${path} flipped, ${offence}`;
      return { verdict: "reject", reason, evidence: { ...counts, path, position, bit } };
    }
    if (!opened) counts.unopened++;
    else if (refused === 0) counts.unnoticed++;
    counts.refusedReads += refused;
  }
  if ((counts.kinds.sst ?? 0) + (counts.kinds.mem ?? 0) === 0) {
    return { verdict: "inconclusive", reason: "the product wrote no tables and no snapshot", evidence: counts };
  }
  const met = Object.entries(counts.kinds).map(([kind, count]) => `${count} ${kind}`).join(", ");
  const reason =
    `${counts.flips} bits flipped (${met}): ${counts.refusedReads} reads refused, ${counts.unopened} times not ` +
    `opened, ${counts.unnoticed} times nothing read was damaged; no wrong answer`;
  return { verdict: "admit", reason, evidence: counts };
}

/** A bit of some file: mostly of a table. */
function choose(disk: SimulatedDisk, next: () => number): { path: string; position: number; bit: number } {
  const files = disk.paths().filter((path) => disk.size(path) > 0);
  const tables = files.filter(isData);
  const others = files.filter((path) => !isData(path));
  const among = next() < tableShare && tables.length > 0 ? tables : others;
  const path = among[Math.floor(next() * among.length)];
  // The log is mostly room for later entries; what was written stands at its start.
  const span = path.endsWith(".wal") ? Math.min(disk.size(path), 8192) : disk.size(path);
  return { path, position: Math.floor(next() * span), bit: Math.floor(next() * 8) };
}

/** Sorted tables, or snapshots of what is in memory. */
function isData(path: string): boolean {
  return path.endsWith(".sst") || path.endsWith(".mem");
}

function kindOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name.includes(".") ? name.slice(name.lastIndexOf(".") + 1) : name.replace(/-\d+$/, "").toLowerCase();
}

interface Reading {
  /** What was wrong, or undefined. */
  readonly offence: string | undefined;
  readonly refused: number;
  readonly opened: boolean;
}

class DamagedStore {
  readonly #open: OpenProduct;
  readonly #knobs: KnobValues;
  readonly #seed: number;
  readonly #table: string;
  readonly #values: readonly string[];

  constructor(open: OpenProduct, knobs: KnobValues, seed: number, table: string, letters: RandomLetters) {
    this.#open = open;
    this.#knobs = knobs;
    this.#seed = seed;
    this.#table = table;
    this.#values = Array.from({ length: rows }, () => letters.take(rowBytes));
  }

  async fill(disk: SimulatedDisk): Promise<void> {
    const env = createSimulatedEnv({ seed: this.#seed, disk });
    const product = await env.run(this.#open(env, this.#knobs, { dataDirectory }));
    const door = rowDoor(product, this.#table, "statement");
    await env.run(door.create());
    for (let from = 0; from < rows; from += rowsPerStatement) {
      const values = this.#values.slice(from, from + rowsPerStatement);
      await env.run(door.write(values.map((value, at) => [from + at, value])));
      // Half of it goes to the bottom; the rest stays in level 0 and in the log.
      if (from < rows / 2 && from + rowsPerStatement >= rows / 2) await env.run(product.rewrite());
    }
    await env.run(product.close());
  }

  async read(disk: SimulatedDisk, damaged: string): Promise<Reading> {
    const env = createSimulatedEnv({ seed: this.#seed + 1, disk });
    let product: Product;
    try {
      product = await env.run(this.#open(env, this.#knobs, { dataDirectory }));
    } catch (error) {
      return { offence: offenceOf(error), refused: 0, opened: false };
    }
    const reading = await this.#readAll(env, product, damaged.endsWith(".wal"));
    // Closing may meet the damage as well.
    await env.run(product.close()).catch(() => {});
    return reading;
  }

  async #readAll(env: SimulatedEnv, product: Product, mayLoseTail: boolean): Promise<Reading> {
    const door = rowDoor(product, this.#table, "statement");
    let refused = 0;
    const missing: number[] = [];
    for (let id = 0; id < rows; id++) {
      try {
        const value = await env.run(door.read(id));
        if (value === undefined) missing.push(id);
        else if (value !== this.#values[id]) return wrong(`row ${id} has a value that was never written`, refused);
      } catch (error) {
        const offence = offenceOf(error);
        if (offence !== undefined) return wrong(offence, refused);
        refused++;
      }
    }
    const tail = mayLoseTail ? rows - missing.length : rows;
    const gone = missing.find((id) => id < tail);
    if (gone !== undefined) return wrong(`row ${gone} is not there, and no error says why`, refused);
    try {
      const scanned = await env.run(door.readAll());
      const bad = scanned.find(([id, value], at) => id !== at || value !== this.#values[id]);
      if (bad !== undefined) return wrong(`a scan gave row ${bad[0]} wrongly or out of its place`, refused);
      if (scanned.length < tail) return wrong(`a scan gave ${scanned.length} of ${tail} rows, and no error`, refused);
    } catch (error) {
      const offence = offenceOf(error);
      if (offence !== undefined) return wrong(offence, refused);
      refused++;
    }
    return { offence: undefined, refused, opened: true };
  }
}

function wrong(offence: string, refused: number): Reading {
  return { offence, refused, opened: true };
}

/** What is wrong with an error in place of an answer; undefined where it says that data are damaged. */
function offenceOf(error: unknown): string | undefined {
  const { message } = error as Error;
  const code = errorCodeOf(error);
  const told = code === "CORRUPTION" || code === "FORMAT_UNKNOWN" || /damag|corrupt|checksum/i.test(message);
  return told ? undefined : `an error does not say that anything is damaged: ${message.slice(0, 200)}`;
}
