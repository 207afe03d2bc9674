/**
 * Runs one scenario against a store and its model, through all its lives.
 *
 * A life begins with opening the store and ends with power lost, the process killed, or the store closed. After each:
 *   1. The store opens. It may refuse only with the code of a fault that struck this life.
 *   2. It reaches as far as was promised: every acknowledged write, and everything it called durable.
 *   3. Its contents, by scan and by get, are those of the model at just that place in the log: no write is half there,
 *   none is missing between others.
 * Where a store may lose what it acknowledged within a window (`loss-window.ts`), rule 2 holds for the rest.
 * During a life every read is compared as well, also through snapshots; errors must have the code of a fault that
 * struck. At the end the faults cease, and the store has to be usable: it takes writes, flushes, compacts, and opens
 * again. Where a device has lied (`fault-plan.ts`), rule 2 is void and CORRUPTION is a right answer, but not wrong
 * data; and what a repair makes of such a store may lack entries, but holds none that was never written.
 */
import { errorCodeOf } from "../kit/errors.ts";
import { Coverage, type CoverageCounts } from "./coverage.ts";
import { FaultPlan, isHonest } from "./fault-plan.ts";
import { History } from "./history.ts";
import { LossWindow } from "./loss-window.ts";
import type { Scenario } from "./scenario.ts";
import { seededNumbers } from "./seeded-numbers.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "./simulated-env.ts";
import { keysMax, Offence, StoreChecks } from "./store-checks.ts";
import { type StoreOperation, wasEverPut } from "./store-operation.ts";
import type { Entry, OpenStore, ReadView, StoreSubject } from "./store-subject.ts";
import { TraceHash } from "./trace-hash.ts";

export interface RunFailure {
  readonly message: string;
  readonly life: number;
  /** Number of the operation under way, from 0. */
  readonly operation: number;
}

export interface RunResult {
  readonly failure: RunFailure | undefined;
  readonly hash: string;
  readonly events: number;
  readonly lives: number;
  /** Lives that ended with power lost or the process killed. */
  readonly crashes: number;
  /** Whether the first fault of the first life has struck. */
  readonly struck: boolean;
  readonly coverage: CoverageCounts;
}

type Ending = "crash" | "kill" | "reopen" | "done" | "refused";

const livesMax = 60;
const firstMs = 1_700_000_000_000;
const dayMs = 86_400_000;
/** How long a disk is full before somebody makes room: longer than any store takes to refuse writes for it. */
const fullMs = 15_000;
/** Writes that are made once the faults have ceased. */
const finalWrites: readonly StoreOperation[] = [1, 2, 3].map((id) => ({
  kind: "write", id: 1_000_000 + id, changes: [{ kind: "put", key: id * 3, bytes: 40 }], sync: true, wait: true,
}));

export async function runScenario(subject: StoreSubject, scenario: Scenario): Promise<RunResult> {
  return new StoreRun(subject, scenario).run();
}

interface HeldView {
  readonly view: ReadView;
  readonly entries: readonly Entry[];
}

class StoreRun {
  readonly #subject: StoreSubject;
  readonly #scenario: Scenario;
  readonly #history = new History();
  readonly #coverage = new Coverage();
  readonly #checks: StoreChecks;
  readonly #window: LossWindow | undefined;
  readonly #trace = new TraceHash();
  readonly #next: () => number;
  /** What each holds; after lies it may also hold what an earlier one would. */
  readonly #checkpoints: { directory: string; entries: readonly Entry[]; earlier: readonly Entry[][] }[] = [];
  #disk = new SimulatedDisk();
  #plan = new FaultPlan([]);
  #life = 0;
  #position = 0;
  #finishing = 0;
  #struck = false;
  #lied = false;
  /** Codes that errors may have in this life. */
  readonly #excused = new Set<string>();
  /** Whether somebody is about to make room on a full disk. */
  #roomComes = false;
  #store: OpenStore | undefined;
  /** Whether it found a table damaged when it opened. */
  #damaged = false;
  /** Whether it was closed without an error. */
  #closed = false;
  #views: HeldView[] = [];
  #pending = new Set<Promise<void>>();
  /** Truncations of the log's end so far, and the lowest index that the last one took. */
  #truncations = 0;
  #truncatedFrom = Infinity;
  #startMs = firstMs;
  #crashes = 0;
  /** Whether a segment of the log was used again, so that recoveries meet what its former life left. */
  #reused = false;
  #offence: Offence | undefined;

  constructor(subject: StoreSubject, scenario: Scenario) {
    this.#subject = subject;
    this.#scenario = scenario;
    this.#next = seededNumbers(scenario.seed ^ 0x1b873593);
    this.#checks = new StoreChecks(this.#history, this.#coverage, this.#next);
    const windowMs = subject.lossWindowMs?.(scenario.knobs);
    if (windowMs !== undefined) this.#window = new LossWindow(windowMs, scenario.schedule);
    this.#disk.chance = seededNumbers(scenario.seed ^ 0x7feb352d);
    this.#disk.capacityBytes = scenario.capacityBytes ?? Number.MAX_SAFE_INTEGER;
  }

  async run(): Promise<RunResult> {
    let failure: RunFailure | undefined;
    try {
      for (let ending = await this.#live(); ending !== "done"; ending = await this.#live()) {
        if (ending === "refused") break;
        if (++this.#life > livesMax) throw new Offence(`it does not come to an end after ${livesMax} lives`);
      }
    } catch (error) {
      const message = error instanceof Offence ? error.message : `unexpected: ${(error as Error).stack}`;
      failure = { message, life: this.#life, operation: this.#position - 1 };
    }
    const { hex, events } = this.#trace;
    const { counts } = this.#coverage;
    const crashes = this.#crashes;
    return { failure, hash: hex, events, lives: this.#life + 1, crashes, struck: this.#struck, coverage: counts };
  }

  /** One life. Afterwards the disk is as the next one finds it. */
  async #live(): Promise<Ending> {
    const { scenario, env } = this.#beginLife();
    let ending: Ending;
    try {
      ending = await env.run(this.#liveInside(env));
    } catch (error) {
      if (!this.#disk.crashed) throw this.#offence ?? error;
      ending = "crash";
      this.#coverage.note(this.#store === undefined ? "crash_during_recovery" : "crash");
    }
    if (this.#offence !== undefined) throw this.#offence;
    if (ending === "crash" || ending === "kill") this.#crashes++;
    this.#endLife(scenario, env, ending);
    if (ending === "crash") this.#disk = this.#disk.crash(this.#next);
    else if (ending !== "refused") this.#disk = this.#disk.restart();
    // A new process may find the page cache cleaned of what it hid.
    if (ending === "kill" && this.#next() < 0.5) this.#coverage.note("evicted_page_cache", this.#disk.evictPageCache());
    return ending;
  }

  #beginLife(): { scenario: Scenario; env: SimulatedEnv } {
    const scenario = this.#scenario;
    const faults = this.#finishing > 0 ? [] : (scenario.faults[this.#life] ?? []);
    this.#plan = new FaultPlan(faults, (call) => this.#subject.callPlace(call));
    this.#excused.clear();
    this.#roomComes = false;
    if ((scenario.schedule?.threadDeaths ?? 0) > 0) this.#excused.add("JOB_LOST");
    this.#store = undefined;
    this.#damaged = false;
    this.#closed = false;
    this.#views = [];
    this.#pending = new Set();
    const { nemesis } = this.#plan;
    this.#disk.nemesis = (call) => {
      const event = this.#subject.callEvent(call, this.#store === undefined && this.#life > 0);
      if (event !== undefined) this.#coverage.note(event);
      const verdict = nemesis(call);
      if (verdict !== undefined) this.#coverage.note(`${verdict.kind}_at:${this.#subject.callPlace(call)}`);
      return verdict;
    };
    const env = createSimulatedEnv({
      seed: scenario.seed + Math.imul(this.#life, 0x9e3779b1),
      disk: this.#disk,
      ...(scenario.schedule === undefined ? {} : { schedule: scenario.schedule }),
      trace: this.#trace,
      eventsMax: 400_000,
      startMs: this.#startMs,
      onLog: (event, fields) => {
        this.#coverage.note(`log:${event}`);
        if (fields?.code === "DISK_FULL") this.#makeRoomLater(env);
        if (event === "lsm_expiry_time_not_kept") this.#checks.timeLost = true;
        if (event === "lsm_table_damaged" && this.#store === undefined) this.#damaged = true;
      },
      onJob: (name, input, output) => {
        for (const event of this.#subject.jobEvents(name, input, output)) this.#noteJob(event);
      },
      onJobFailed: (name) => this.#coverage.note(`job_failed:${name}`),
    });
    this.#checks.beginLife(env);
    return { scenario, env };
  }

  /** What waits for room, such as a statement that is in the log already, would wait for ever. */
  #makeRoomLater({ clock }: SimulatedEnv): void {
    if (this.#roomComes) return;
    this.#roomComes = true;
    clock.setTimer(fullMs, () => {
      this.#roomComes = false;
      this.#plan.makeRoom();
      this.#disk.capacityBytes += this.#scenario.capacityBytes ?? 0;
      this.#coverage.note("room_made");
    });
  }

  #noteJob(event: string): void {
    this.#coverage.note(event);
    if (event === "segment_reused") this.#reused = true;
  }

  #endLife({ capacityBytes, schedule }: Scenario, env: SimulatedEnv, ending: Ending): void {
    this.#startMs = env.clock.nowMs() + Math.floor(10 ** (this.#next() * 4));
    // Where clocks jump, the machine may also come up with one that was set back.
    if ((schedule?.clockJumps ?? 0) > 0 && this.#next() < 0.5) this.#startMs -= Math.floor(this.#next() * dayMs);
    this.#checks.endLife(ending === "reopen" && this.#closed, !this.#hasLied());
    const { struck } = this.#plan;
    if (this.#life === 0) this.#struck = struck.length > 0;
    for (const kind of struck) this.#coverage.note(`fault:${kind}`);
    if (struck.some((kind) => !isHonest(kind))) this.#lied = true;
    for (const metric of this.#store?.metrics() ?? []) {
      if (metric.kind !== "counter" || /_(bytes|seconds)_total$/.test(metric.name)) continue;
      this.#coverage.note(metric.name, metric.value);
      const cause = metric.labels?.cause;
      if (cause !== undefined) this.#coverage.note(`${metric.name}:${cause}`, metric.value);
    }
    if (capacityBytes !== undefined) this.#disk.capacityBytes += capacityBytes;
    if (this.#window === undefined) return;
    const honest = struck.length === 0 && !this.#lied;
    if (ending === "reopen" && this.#closed && honest) this.#keep(this.#window.answeredIndex);
    if (ending === "crash" || !honest) this.#window.deviceFailed();
  }

  #keep(index = 0): void {
    this.#history.promised = Math.max(this.#history.promised, index);
  }

  async #liveInside(env: SimulatedEnv): Promise<Ending> {
    try {
      this.#store = await this.#subject.open(env, this.#scenario.knobs, {
        appended: (index, write) => this.#history.appended(index, write),
      });
    } catch (error) {
      return await this.#openRefused(env, error);
    }
    const store = this.#store;
    await this.#tolerate(() => this.#checkRecovered(store));
    if (this.#finishing > 0) return this.#finish(env, store);
    const { operations } = this.#scenario;
    while (this.#position < operations.length) {
      const ending = await this.#perform(env, store, operations[this.#position++]);
      if (this.#offence !== undefined) throw this.#offence;
      if (ending !== undefined) return ending;
      this.#promise(store);
    }
    this.#plan.end();
    this.#disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    this.#finishing = 1;
    if (this.#next() < 0.5) return "crash";
    await this.#drain();
    return "kill";
  }

  async #openRefused(env: SimulatedEnv, error: unknown): Promise<Ending> {
    if (this.#disk.crashed) throw error;
    this.#checkExcused(error, "opening");
    this.#coverage.note("open_refused");
    if (this.#hasLied()) {
      this.#coverage.note(`refused:${errorCodeOf(error)}`);
      this.#plan.end();
      this.#disk.capacityBytes = Number.MAX_SAFE_INTEGER;
      await this.#repair(env);
      return "refused";
    }
    // The fault is over; or else it is to be over now.
    if (this.#life > 20) this.#finishing = 1;
    return this.#next() < 0.5 ? "kill" : "crash";
  }

  /** Faults have ceased: the store takes work and keeps it. */
  async #finish(env: SimulatedEnv, store: OpenStore): Promise<Ending> {
    if (this.#finishing++ >= 2) {
      await this.#checkCheckpoints(env);
      await this.#tolerate(() => store.close());
      if (this.#hasLied()) await this.#repair(env);
      return "done";
    }
    await this.#tolerate(async () => {
      for (const operation of finalWrites) {
        if (operation.kind !== "write") continue;
        const { index } = await store.write({ ...operation, timeMs: env.clock.nowMs() }, true);
        if (this.#subject.hasLog && !this.#lied && this.#window === undefined) this.#keep(index);
      }
      await store.flush();
      await store.compactAll();
      await store.settle();
      this.#promise(store);
      this.#checks.contents(store, store.appliedIndex);
    });
    await this.#tolerate(() => this.#close(store));
    return "reopen";
  }

  async #close(store: OpenStore): Promise<void> {
    await store.close();
    this.#closed = true;
  }

  async #perform(env: SimulatedEnv, store: OpenStore, operation: StoreOperation): Promise<Ending | undefined> {
    switch (operation.kind) {
      case "write": {
        const acknowledged = this.#write(env, store, operation);
        if (operation.wait) await acknowledged;
        else acknowledged.catch(() => {});
        return undefined;
      }
      case "reopen":
        await this.#drain();
        await this.#tolerate(() => this.#close(store));
        this.#coverage.note("reopen");
        return "reopen";
      case "kill":
        this.#coverage.note("kill");
        return "kill";
      case "crash":
        this.#coverage.note("crash");
        return "crash";
      case "drain":
        await this.#drain();
        return undefined;
      case "pause":
        await new Promise<void>((resolve) => void env.clock.setTimer(operation.ms, resolve));
        return undefined;
      case "truncate":
        await this.#tolerate(() => this.#truncate(store, operation.entries));
        return undefined;
      default:
        await this.#tolerate(() => this.#read(env, store, operation));
        return undefined;
    }
  }

  async #write(
    env: SimulatedEnv, store: OpenStore, operation: Extract<StoreOperation, { kind: "write" }>,
  ): Promise<void> {
    const work = this.#tolerate(async () => {
      const truncations = this.#truncations;
      const { index, refused } = await store.write({ ...operation, timeMs: env.clock.nowMs() }, operation.sync);
      // Given up again before its answer came.
      if (truncations !== this.#truncations && index >= this.#truncatedFrom) return;
      if (operation.sync && store.appliedIndex < index) {
        throw new Offence(`write ${operation.id} was acknowledged before it could be read`);
      }
      const { hasLog } = this.#subject;
      if (this.#window !== undefined) this.#window.answered(index, env.clock.monotonicUs());
      else if (operation.sync && hasLog && !this.#lied) this.#keep(index);
      if (refused !== this.#history.refusesAt(index)) {
        throw new Offence(`write ${operation.id} was ${refused ? "" : "not "}refused, the model says otherwise`);
      }
      if (refused) this.#coverage.note("write_refused");
    });
    this.#pending.add(work);
    await work.finally(() => this.#pending.delete(work));
  }

  /** Operations that read, and those after which reads must give the same. */
  async #read(env: SimulatedEnv, store: OpenStore, operation: StoreOperation): Promise<void> {
    switch (operation.kind) {
      case "get":
        return this.#checks.get(store, operation.key, operation.pooled);
      case "scan": {
        const { from, to, reverse } = operation;
        const lowMs = this.#checks.lowMs();
        const found = store.scan(from, to, reverse);
        this.#checks.compare(found, this.#history.entriesAt(store.appliedIndex, from, to), "a scan", lowMs);
        return undefined;
      }
      case "snapshot": {
        const entries = this.#history.entriesAt(store.appliedIndex, 0, keysMax);
        this.#views.push({ view: store.view(), entries });
        return undefined;
      }
      case "readSnapshot": {
        const { which, from, to } = operation;
        const held = this.#views[which];
        if (held === undefined) return undefined;
        const expected = held.entries.filter(({ key }) => key >= from && key < to);
        const lowMs = this.#checks.lowMs();
        this.#checks.compare(held.view.scan(from, to), expected, "a snapshot", lowMs);
        this.#coverage.note("snapshot_read");
        return undefined;
      }
      case "release":
        this.#views.splice(operation.which, 1).forEach(({ view }) => view.release());
        return undefined;
      case "checkpoint":
        return this.#checkpoint(store);
      case "tune":
        return store.tune(operation.knobs);
      case "flush":
      case "compactAll":
      case "settle":
        return store[operation.kind]();
      default:
        throw new Error(`${operation.kind} does not read`);
    }
  }

  /** Gives the end of the log up. While it lasts either may be there after a crash; afterwards it may not come back. */
  async #truncate(store: OpenStore, entries: number): Promise<void> {
    // Where a device lies, what was given up may come back, and the model would have to hold two logs.
    if (this.#scenario.faults.some((list) => list.some(({ kind }) => !isHonest(kind)))) return;
    const { lastIndex } = this.#history;
    const index = Math.max(lastIndex - entries + 1, store.durableIndex + 1);
    if (index > lastIndex) return;
    this.#truncations++;
    this.#truncatedFrom = index;
    this.#history.promised = Math.min(this.#history.promised, index - 1);
    await store.truncateFrom(index);
    this.#history.cutTo(index - 1);
    this.#coverage.note("log_end_truncated");
  }

  async #checkpoint(store: OpenStore): Promise<void> {
    // So that its contents are known: nothing is written meanwhile.
    await this.#drain();
    const directory = `/checkpoint${this.#checkpoints.length}-${this.#life}-${this.#position}`;
    const index = await store.checkpoint(directory);
    if (this.#damaged) throw new Offence(`${directory} was made of a store with a damaged table`);
    const entries = this.#history.entriesAt(index, 0, keysMax);
    const mayLie = this.#scenario.faults.flat().some(({ kind }) => !isHonest(kind));
    const earlier = mayLie ? Array.from({ length: index }, (_, i) => this.#history.entriesAt(i, 0, keysMax)) : [];
    this.#checkpoints.push({ directory, entries, earlier });
    this.#coverage.note("checkpoint");
  }

  async #checkCheckpoints(env: SimulatedEnv): Promise<void> {
    for (const { directory, entries, earlier } of this.#checkpoints) {
      await this.#tolerate(async () => {
        const lowMs = env.clock.nowMs();
        const found = await this.#subject.readCheckpoint(env, this.#scenario.knobs, directory);
        const due = this.#hasLied() ? [entries, ...earlier] : [entries];
        this.#checks.compareCopy(found, due, `checkpoint ${directory}`, lowMs);
        this.#coverage.note("checkpoint_opened");
      });
    }
  }

  #checkRecovered(store: OpenStore): Promise<void> {
    const { appliedIndex } = store;
    const { promised, lastIndex, reach } = this.#history;
    if (appliedIndex < promised && !this.#hasLied()) {
      throw new Offence(`lost: it reaches up to ${appliedIndex}, but ${promised} was promised (of ${lastIndex})`);
    }
    if (appliedIndex > reach) {
      throw new Offence(`it reaches up to ${appliedIndex}, but only ${reach} was written`);
    }
    if (appliedIndex < lastIndex) this.#coverage.note("unacknowledged_tail_lost");
    if (appliedIndex > promised) this.#coverage.note("unacknowledged_tail_kept");
    this.#checkWindow(appliedIndex);
    // A read that lied may have hidden writes that are there again the next time.
    if (this.#hasLied()) this.#recall(store);
    else this.#history.cutTo(appliedIndex);
    this.#noteRecovered(store);
    this.#checks.contents(store, appliedIndex);
    return Promise.resolve();
  }

  #checkWindow(appliedIndex: number): void {
    const window = this.#window;
    if (window === undefined) return;
    const offence = window.recovered(appliedIndex);
    if (this.#hasLied()) return;
    if (offence !== undefined) throw new Offence(offence);
    if (window.lastLoss > 0) this.#coverage.note("acknowledged_within_window_lost", window.lastLoss);
    // Opening has flushed what it found.
    this.#keep(appliedIndex);
  }

  /** Finds out which line of writes is there on a device that has lied. */
  #recall(store: OpenStore): void {
    const lowMs = this.#checks.lowMs();
    let found: Entry[] | undefined;
    try {
      found = store.scan(0, keysMax, false);
    } finally {
      // Where damage keeps it from being read, the likeliest line has to do.
      const fits = (entries: readonly Entry[]) => found === undefined || this.#checks.agrees(found, entries, lowMs);
      if (this.#history.recall(store.appliedIndex, fits)) this.#coverage.note("hidden_writes_back");
    }
  }

  #noteRecovered({ durableIndex, appliedIndex }: OpenStore): void {
    if (this.#life === 0 || appliedIndex === 0) return;
    if (this.#reused) this.#coverage.note("recovered_with_recycled_segment");
    const inFiles = this.#history.deletesRangeBetween(1, durableIndex);
    if (inFiles) this.#coverage.note("range_tombstone_recovered_from_files");
    const inLog = this.#subject.hasLog && this.#history.deletesRangeBetween(durableIndex + 1, appliedIndex);
    if (inLog) this.#coverage.note("range_tombstone_recovered_from_log");
    const lowMs = this.#checks.lowMs();
    for (const { expiresAtMs } of this.#history.contentsAt(appliedIndex).values()) {
      if (expiresAtMs === undefined) continue;
      this.#coverage.note(expiresAtMs <= lowMs ? "expired_entry_recovered" : "expiring_entry_recovered");
    }
  }

  /** A copy made of what a lying device has left. */
  async #repair(env: SimulatedEnv): Promise<void> {
    const { repair } = this.#subject;
    if (repair === undefined) return;
    try {
      const found = await repair(env, this.#scenario.knobs);
      const written = [...this.#scenario.operations, ...finalWrites];
      const strange = found.find(({ key, value }) => !wasEverPut(written, key, value));
      if (strange !== undefined) throw new Offence(`after a repair, key ${strange.key} has a value that was never put`);
      this.#coverage.note("repaired");
    } catch (error) {
      if (error instanceof Offence) throw error;
      const code = errorCodeOf(error);
      if (code === undefined) throw error;
      this.#coverage.note(`repair_refused:${code}`);
    }
  }

  /** What the store calls durable by itself must survive from now on. */
  #promise(store: OpenStore): void {
    if (this.#hasLied()) {
      this.#lied = true;
      this.#history.promised = 0;
      return;
    }
    this.#history.promised = Math.max(this.#history.promised, store.durableIndex);
  }

  #hasLied(): boolean {
    return this.#lied || this.#plan.struck.some((kind) => !isHonest(kind));
  }

  async #drain(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Does something that may fail with what was injected, and with nothing else. */
  async #tolerate(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#disk.crashed) throw error;
      try {
        this.#checkExcused(error, "an operation");
      } catch (offence) {
        this.#offence ??= offence as Offence;
      }
    }
  }

  #checkExcused(error: unknown, what: string): void {
    if (error instanceof Offence) throw error;
    const code = errorCodeOf(error);
    if (this.#hasLied() && (code === "CORRUPTION" || code === "FORMAT_UNKNOWN")) {
      this.#coverage.note("corruption_reported");
      return;
    }
    for (const kind of this.#plan.struck) {
      if (kind === "ioError" || kind === "syncError") this.#excused.add("IO_ERROR");
      if (kind === "diskFull") this.#excused.add("DISK_FULL");
    }
    if (this.#scenario.capacityBytes !== undefined) this.#excused.add("DISK_FULL");
    // A batch can be larger than a segment of the log; the store says so and stays as it was.
    if (code === "LIMIT_EXCEEDED" || (code !== undefined && this.#excused.has(code))) {
      this.#coverage.note(`failed:${code}`);
      return;
    }
    const detail = code === undefined ? (error as Error).stack : (error as Error).message;
    throw new Offence(`${what} failed with ${code ?? "an unexpected error"}: ${detail}`);
  }
}
