/**
 * The storage engine of a product (or of the source tree) as a maker of worlds for metamorphic runs.
 *
 * `root` is a directory with `kit/` and `parts/`, as a product has them and `src/` too. The engine, the batch and the
 * log are taken from there; the environment is the workshop's own, so that a candidate cannot bring a kinder one.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { loadPartDescriptors, type PartDescriptor } from "../../foundry/part-descriptor.ts";
import type { Clock, Disk, Env } from "../../kit/env/env.ts";
import { createNodeEnv } from "../../kit/env/node-env.ts";
import { errorCodeOf, LatheError } from "../../kit/errors.ts";
import { SimulatedDisk } from "../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type Schedule, seededNumbers, type SimulatedEnv } from "../../simulation/simulated-env.ts";
import type { Change, Feature } from "./operation.ts";
import { treeKnobSets } from "./knob-sets.ts";
import { memoryKnobSets } from "./memory-knob-sets.ts";
import type { KnobSet, KnobSets, Store, StoreBatch, StoreMaker, StoreWorld } from "./store-under-test.ts";

interface Batch extends StoreBatch {
  put(key: Uint8Array, value: Uint8Array, options?: { expiresAtMs?: number }): unknown;
  delete(key: Uint8Array): unknown;
  deleteRange?(from: Uint8Array, to: Uint8Array): unknown;
}

interface Log {
  sync(): Promise<void>;
  close(): Promise<void>;
}

interface Agent {
  readonly name: string;
  step(view: AgentView): unknown;
}

/** What the variants of the compaction agent look at. */
interface AgentView {
  readonly levels: readonly (readonly unknown[])[];
  readonly tuning: Readonly<Record<string, number>>;
}

interface Modules {
  readonly openEngine: (env: Env, options: Record<string, unknown>) => Promise<Store>;
  readonly openWal: (env: Env, options: Record<string, unknown>) => Promise<Log>;
  readonly WriteBatch: new () => Batch;
  /** Compaction agents by style. */
  readonly agents: Readonly<Record<string, Agent | undefined>>;
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** Undefined where the product has none. */
  readonly scrubStore: ScrubStore | undefined;
  readonly repairStore: RepairStore | undefined;
}

type Scrubbed = readonly { file: string; problems: readonly { what: string; severity: string }[] }[];

type ScrubStore = (
  disk: Disk,
  directory: string,
  selectionHash: string,
) => Generator<unknown, { files: Scrubbed }>;

type RepairStore = (
  context: { disk: Disk; clock: Clock },
  options: { directory: string; target: string; selectionHash: string; dryRun: boolean },
) => Generator<unknown, { files: readonly { file: string; outcome: string }[] }>;

const storeDirectory = "store";
const logDirectory = "log";
const selectionHash = "5".repeat(64);
/** A real run that takes longer is stuck. */
const realTimeoutMs = 60_000;
const enginePort = "storage/engine.ts";
/** By a leaf of the engine. A product has one of them; of a source tree, which has all, the first is taken. */
const knobSetsOfEngines: readonly (readonly [leaf: string, sets: KnobSets])[] = [
  ["storage/lsm/memtable", treeKnobSets],
  ["storage/storage_model/memory", memoryKnobSets],
];

/** Errors: NOT_FOUND where the root holds no engine. `workDirectory`: where real files go. */
export async function loadProductEngine(root: string, workDirectory: string): Promise<StoreMaker> {
  const { part, knobSets } = engineIn(root);
  const modules = await loadModules(root, part);
  // Enough threads for compactions side by side, however few cores there are.
  const real = createNodeEnv({ logLevel: "error", threads: 4 });
  return {
    features: featuresOf(modules.capabilities),
    knobSets,
    create: (knobs, seed) =>
      knobs.world === "real"
        ? new RealWorld(modules, knobs, real, mkdtempSync(join(workDirectory, "store-")))
        : new SimulatedWorld(modules, knobs, seed),
    close: () => real.threads.close(),
  };
}

function engineIn(root: string): { part: PartDescriptor; knobSets: KnobSets } {
  const engines = loadPartDescriptors().filter(
    ({ path, provides, entry }) => provides.includes(enginePort) && existsSync(join(root, "parts", path, entry)),
  );
  for (const [leaf, knobSets] of knobSetsOfEngines) {
    const part = engines.find(({ leaves }) => leaves.includes(leaf));
    if (part !== undefined) return { part, knobSets };
  }
  const wanted = knobSetsOfEngines.map(([leaf]) => leaf).join(" or ");
  const found = engines.length === 0 ? "" : ` (it holds ${engines.map(({ name }) => name).join(", ")})`;
  const message = `${root} holds no part of ${wanted} that provides ${enginePort}${found}; give a product's directory`;
  throw new LatheError("NOT_FOUND", message);
}

async function loadModules(root: string, part: PartDescriptor): Promise<Modules> {
  const load = (path: string) => import(pathToFileURL(join(root, path)).href) as Promise<Record<string, unknown>>;
  const entry = await load(`parts/${part.path}/${part.entry}`);
  const openEngine = Object.entries(entry).find(([name]) => /^open\w+Engine$/.test(name))?.[1];
  if (openEngine === undefined) throw new LatheError("NOT_FOUND", `${part.path}/${part.entry} exports no open…Engine`);
  const loadAgent = async (name: string) => {
    const path = `parts/${part.path}/${name}`;
    if (!existsSync(join(root, path))) return undefined;
    return Object.values(await load(path)).find(isAgent);
  };
  const loadExport = async (name: string, what: string): Promise<unknown> => {
    const path = `parts/${part.path}/${name}`;
    return existsSync(join(root, path)) ? (await load(path))[what] : undefined;
  };
  return {
    openEngine: openEngine as Modules["openEngine"],
    openWal: (await load("parts/core/wal/wal.ts")).openWal as Modules["openWal"],
    WriteBatch: (await load("parts/storage/write-batch.ts")).WriteBatch as Modules["WriteBatch"],
    agents: { leveled: await loadAgent("compaction-agent.ts"), tiered: await loadAgent("tiered-compaction-agent.ts") },
    capabilities: Object.values(entry).find(isCapabilities) ?? {},
    scrubStore: (await loadExport("scrub.ts", "scrubStore")) as ScrubStore | undefined,
    repairStore: (await loadExport("repair.ts", "repairStore")) as RepairStore | undefined,
  };
}

/** Engines export what they can do. */
function isCapabilities(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && "keyBytesMax" in value;
}

function isAgent(value: unknown): value is Agent {
  return typeof value === "object" && value !== null && "step" in value && "name" in value;
}

function featuresOf({ rangeDelete, ttl }: Modules["capabilities"]): Feature[] {
  return [...(rangeDelete === true ? (["range-delete"] as const) : []), ...(ttl === true ? (["ttl"] as const) : [])];
}

abstract class EngineWorld implements StoreWorld {
  readonly ownLog: boolean;
  protected readonly modules: Modules;
  protected readonly knobs: KnobSet;
  #log: Log | undefined = undefined;
  #passedMs = 0;

  constructor(modules: Modules, knobs: KnobSet) {
    this.modules = modules;
    this.knobs = knobs;
    this.ownLog = knobs.log === "engine";
  }

  abstract directoryOf(copy: string): string;
  abstract losePower(): boolean;
  abstract drive<Value>(promise: Promise<Value>): Promise<Value>;
  abstract dispose(): Promise<void>;
  protected abstract env(): Env;

  async open(copy?: string): Promise<Store> {
    const env = { ...this.env(), clock: this.#clock() };
    const directory = this.directoryOf(copy ?? storeDirectory);
    const { options } = this.knobs;
    if (copy !== undefined || !this.ownLog) {
      return this.modules.openEngine(env, { ...options, directory, selectionHash });
    }
    const segmentBytes = Number(options.segmentBytes ?? 1 << 18);
    const logOptions = { directory: this.directoryOf(logDirectory), segmentBytes, selectionHash };
    const log = await this.modules.openWal(env, logOptions);
    this.#log = log;
    return this.modules.openEngine(env, { ...options, directory, selectionHash, log });
  }

  batchOf(changes: readonly Change[], nowMs: number): StoreBatch {
    const batch = new this.modules.WriteBatch();
    for (const change of changes) {
      if (change.kind === "delete") batch.delete(bytesOf(change.key));
      else if (change.kind === "deleteRange") batch.deleteRange?.(bytesOf(change.from), bytesOf(change.to));
      else if (change.ttlMs === undefined) batch.put(bytesOf(change.key), bytesOf(change.value));
      else batch.put(bytesOf(change.key), bytesOf(change.value), { expiresAtMs: nowMs + change.ttlMs });
    }
    return batch;
  }

  replaceAgent(store: Store, name: string): void {
    const { agents } = this.modules;
    const { tuning } = store as { tuning?: { compactionStyle?: string } };
    const style = tuning?.compactionStyle ?? String(this.knobs.options.compactionStyle ?? "leveled");
    const own = agents[style];
    const other = agents[style === "leveled" ? "tiered" : "leveled"];
    const { replaceAgent } = store as { replaceAgent?: (name: string, agent: Agent) => void };
    if (own === undefined || replaceAgent === undefined) return;
    replaceAgent.call(store, own.name, agentVariant(own, other, name));
  }

  tune(store: Store, option: string, value: number | string): void {
    const { setTuning } = store as { setTuning?: (changes: Record<string, number | string>) => unknown };
    try {
      setTuning?.call(store, { [option]: value });
    } catch (error) {
      // Triggers out of their order, a budget too small for the memtables, a codec that is not there.
      if (!["INVALID_ARGUMENT", "UNAVAILABLE"].includes(errorCodeOf(error) ?? "")) throw error;
    }
  }

  repair(copy: string): readonly string[] | false {
    const { scrubStore, repairStore } = this.modules;
    if (scrubStore === undefined || repairStore === undefined) return false;
    const { disk, clock } = this.env();
    const directory = this.directoryOf(storeDirectory);
    const { files } = valueOf(scrubStore(disk, directory, selectionHash));
    const problems = files.flatMap(({ file, problems: found }) =>
      found.filter(({ severity }) => severity === "damage").map(({ what }) => `${file}: ${what}`),
    );
    if (problems.length > 0) return problems;
    const options = { directory, target: this.directoryOf(copy), selectionHash, dryRun: false };
    const repaired = valueOf(repairStore({ disk, clock }, options)).files;
    return repaired.filter(({ outcome }) => outcome !== "kept").map(({ file, outcome }) => `${file}: ${outcome}`);
  }

  nowMs(): number {
    return this.#clock().nowMs();
  }

  wait(ms: number): void {
    this.#passedMs += ms;
  }

  turn(): Promise<void> {
    return new Promise((resolve) => this.env().clock.defer(resolve));
  }

  async syncLog(): Promise<void> {
    await this.#log?.sync();
  }

  async closeLog(): Promise<void> {
    await this.#log?.close();
    this.#log = undefined;
  }

  /** Time stands still between waits, so that what expires does not depend on the machine. */
  #clock(): Clock {
    const { clock } = this.env();
    return { ...clock, nowMs: () => startMs + this.#passedMs };
  }
}

const startMs = 1_700_000_000_000;
/** More than programs write. */
const debtWithoutEnd = 2 ** 30;

/** Clock jumps and lost threads would change answers; the simulation of the engine has them. */
const manyJobs: Schedule = {
  callUs: 20, jobStepUs: 60, deferUs: 40, timerLateUs: 500, concurrency: 5, clockJumps: 0, threadDeaths: 0,
};

class SimulatedWorld extends EngineWorld {
  readonly #next: () => number;
  readonly #seed: number;
  #disk = new SimulatedDisk();
  #env: SimulatedEnv;

  constructor(modules: Modules, knobs: KnobSet, seed: number) {
    super(modules, knobs);
    this.#seed = seed;
    this.#next = seededNumbers(seed);
    this.#env = this.#start();
  }

  directoryOf(copy: string): string {
    return `/${copy}`;
  }

  losePower(): boolean {
    this.#disk = this.#disk.crash(this.#next);
    this.#env = this.#start();
    return true;
  }

  #start(): SimulatedEnv {
    const { world } = this.knobs;
    const options = { seed: this.#seed, disk: this.#disk };
    return createSimulatedEnv(world === "concurrent" ? { ...options, schedule: manyJobs } : options);
  }

  drive<Value>(promise: Promise<Value>): Promise<Value> {
    return this.#env.run(promise);
  }

  async dispose(): Promise<void> {}

  protected env(): Env {
    return this.#env;
  }
}

class RealWorld extends EngineWorld {
  readonly #env: Env;
  readonly #directory: string;

  constructor(modules: Modules, knobs: KnobSet, env: Env, directory: string) {
    super(modules, knobs);
    this.#env = env;
    this.#directory = directory;
  }

  directoryOf(copy: string): string {
    return join(this.#directory, copy);
  }

  losePower(): boolean {
    return false;
  }

  drive<Value>(promise: Promise<Value>): Promise<Value> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new LatheError("TIMEOUT", `no answer within ${realTimeoutMs / 1000} s`)),
      realTimeoutMs,
    );
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }

  async dispose(): Promise<void> {
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 3 });
  }

  protected env(): Env {
    return this.#env;
  }
}

/** Agents that decide otherwise than the product's own, and all rightly. */
function agentVariant(own: Agent, other: Agent | undefined, variant: string): Agent {
  return { name: own.name, step: (view) => (mayWait(view) ? stepOf(variant, own, other, view) : own.step(view)) };
}

/** Not where writers wait for bytes in debt, which only the engine's own agent pays off as the engine counts them. */
function mayWait({ tuning }: AgentView): boolean {
  return tuning.debtSlowdownBytes === undefined || tuning.debtSlowdownBytes >= debtWithoutEnd;
}

function stepOf(variant: string, own: Agent, other: Agent | undefined, view: AgentView): unknown {
  const { tuning } = view;
  // Waits until writers are slowed down, so that they never wait for ever.
  if (variant === "lazy") return view.levels[0].length >= tuning.l0SlowdownTrigger ? own.step(view) : undefined;
  if (variant === "eager") return own.step({ ...view, tuning: { ...tuning, l0CompactionTrigger: 1 } });
  // With less room than this the tiered agent has nothing to merge while writers wait.
  if (variant === "other" && other !== undefined && tuning.l0StallTrigger >= 3) return other.step(view);
  return own.step(view);
}

function valueOf<Value>(steps: Generator<unknown, Value>): Value {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}
