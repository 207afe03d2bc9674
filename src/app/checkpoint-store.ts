/**
 * CheckpointStore: the data directories from which launches start, one per content of the tables and
 * per setting of the knobs that shape files.
 *
 * Most candidates share the baseline's checkpoint: only knobs whose effect is `files` need one of their
 * own, made from the baseline's by rewriting it. A checkpoint counts when its marker is there, so that
 * a kill leaves nothing that looks done.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareCheckpoint, rewriteCheckpoint } from "../bench/prepared-data.ts";
import type { WorkloadSpec } from "../contract/contract.ts";
import type { Knob, KnobValue } from "../knobs/knob.ts";
import type { Candidate } from "../search/candidate.ts";

export interface CheckpointStoreOptions {
  readonly directory: string;
  readonly productDirectory: string;
  readonly workload: WorkloadSpec;
  readonly table: readonly Knob[];
  readonly progress: (line: string) => void;
}

/** Checkpoints kept beside the baseline's; the least recently used goes first. */
const keptMax = 6;
const marker = "checkpoint-is-complete";

export class CheckpointStore {
  readonly #options: CheckpointStoreOptions;

  constructor(options: CheckpointStoreOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true });
  }

  /**
   * The checkpoint of a candidate for one content, made where it is missing. Errors: those of starting
   * and loading.
   */
  async of(candidate: Candidate, workloadSeed: number, signal?: AbortSignal): Promise<string> {
    const shaping = this.#shapingKnobs(candidate);
    const base = await this.#make(`${workloadSeed}-base`, async (directory) => {
      const { productDirectory, workload, progress } = this.#options;
      const loaded = await prepareCheckpoint({
        productDirectory,
        workload,
        dataSeed: workloadSeed,
        knobs: {},
        checkpointDirectory: directory,
        signal,
      });
      progress(`loaded ${loaded.rows.toLocaleString("en")} rows in ${loaded.seconds.toFixed(1)} s`);
    });
    if (Object.keys(shaping).length === 0) return base;
    const hash = createHash("sha256").update(JSON.stringify(shaping)).digest("hex").slice(0, 12);
    return this.#make(`${workloadSeed}-${hash}`, (directory) =>
      rewriteCheckpoint(base, {
        productDirectory: this.#options.productDirectory,
        knobs: shaping,
        checkpointDirectory: directory,
        signal,
      }),
    );
  }

  /** Knobs of a candidate that change what files look like, in the table's order. */
  #shapingKnobs(candidate: Candidate): Record<string, KnobValue> {
    const names = this.#options.table.filter((knob) => knob.effect === "files").map((knob) => knob.name);
    return Object.fromEntries(
      names.filter((name) => candidate.knobs[name] !== undefined).map((name) => [name, candidate.knobs[name]]),
    );
  }

  async #make(name: string, fill: (directory: string) => Promise<void>): Promise<string> {
    const holder = join(this.#options.directory, name);
    const data = join(holder, "data");
    if (!existsSync(join(holder, marker))) {
      rmSync(holder, { recursive: true, force: true });
      mkdirSync(holder, { recursive: true });
      await fill(data);
      writeFileSync(join(holder, marker), "");
      this.#evict();
    }
    const now = new Date();
    utimesSync(join(holder, marker), now, now);
    return data;
  }

  #evict(): void {
    const { directory } = this.#options;
    const variants = readdirSync(directory)
      .filter((name) => !name.endsWith("-base") && existsSync(join(directory, name, marker)))
      .map((name) => ({ name, usedMs: statSync(join(directory, name, marker)).mtimeMs }))
      .sort((a, b) => b.usedMs - a.usedMs);
    for (const { name } of variants.slice(keptMax)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}
