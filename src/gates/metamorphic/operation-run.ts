/**
 * OperationRun: carries a metamorphic program out on a store and compares every answer with the model's.
 *
 *   1. Each operation is carried out in the store's world and gives one line; the first line that is not the
 *      model's ends the run.
 *   2. Without a log of the engine's own the run is its log: it keeps every batch and, after the store was opened
 *      again, applies those after `appliedIndex`.
 *   3. Beside the answers it holds the store to its port: after `flush` everything applied is durable; what was
 *      durable before power was lost is there afterwards; nothing is there that was never written.
 * Work that was begun and not waited for is waited for before the store is closed.
 */
import { errorCodeOf } from "../../kit/errors.ts";
import type { Change, Operation, OperationFile, Range } from "./operation.ts";
import { formatOperation } from "./operation-file.ts";
import { endMark, formatEntries, formatValue, noneAnswer, OrderedModel } from "./ordered-model.ts";
import type { Store, StoreBatch, StoreCursor, StoreRange, StoreSnapshot, StoreWorld } from "./store-under-test.ts";

/** Where store and model part. */
export interface Difference {
  /** Number of the operation, from 0. */
  readonly at: number;
  readonly operation: string;
  readonly expected: string;
  readonly got: string;
}

/** The answers due to a program, in order. */
export function answersOf(file: OperationFile): string[] {
  const model = new OrderedModel();
  return file.operations.map((operation) => model.answer(operation));
}

/** Runs the program; undefined where every answer is the one due. The world is disposed of. */
export async function runOperations(
  file: OperationFile,
  answers: readonly string[],
  world: StoreWorld,
): Promise<Difference | undefined> {
  const run = new OperationRun(world);
  try {
    const opened = await run.open();
    if (opened !== "ok") return { at: -1, operation: "open", expected: "ok", got: opened };
    for (const [at, operation] of file.operations.entries()) {
      const expected = answers[at];
      const got = await run.answer(operation);
      if (got !== expected) return { at, operation: formatOperation(operation), expected, got };
    }
    const closed = await run.end();
    if (closed !== "ok") return { at: file.operations.length, operation: "close", expected: "ok", got: closed };
    return undefined;
  } finally {
    await world.dispose();
  }
}

class OperationRun {
  readonly #world: StoreWorld;
  #store: Store | undefined = undefined;
  readonly #batches: { readonly index: number; readonly batch: StoreBatch }[] = [];
  readonly #snapshots = new Map<string, StoreSnapshot>();
  readonly #cursors = new Map<string, StoreCursor>();
  readonly #checkpoints = new Set<string>();
  readonly #begun: Promise<string>[] = [];
  #agent: string | undefined = undefined;
  #repairs = 0;

  constructor(world: StoreWorld) {
    this.#world = world;
  }

  open(): Promise<string> {
    return this.#caught(() => this.#open());
  }

  async answer(operation: Operation): Promise<string> {
    return operation.kind === "crash" ? this.#crash() : this.#caught(() => this.#carryOut(operation));
  }

  end(): Promise<string> {
    return this.#caught(() => this.#close());
  }

  /** An error is an answer too. What answers at once costs no step of the world. */
  async #caught(work: () => Promise<string> | string): Promise<string> {
    try {
      const answer = work();
      return typeof answer === "string" ? answer : await this.#world.drive(answer);
    } catch (error) {
      return `error ${errorCodeOf(error) ?? (error as Error).name}: ${(error as Error).message}`;
    }
  }

  async #open(): Promise<string> {
    this.#store = await this.#world.open();
    if (this.#agent !== undefined) this.#world.replaceAgent(this.#store, this.#agent);
    return "ok";
  }

  #carryOut(operation: Operation): Promise<string> | string {
    const store = this.#present();
    switch (operation.kind) {
      case "write":
        return this.#write(operation.changes, operation.sync);
      case "write-apart":
        return this.#writeApart(operation.changes);
      case "get":
        return this.#at(operation.at, (one) => formatValue(textOf(store.getSync(bytesOf(operation.key), one))));
      case "get-promised":
        return this.#at(operation.at, async (one) =>
          formatValue(textOf(await store.get(bytesOf(operation.key), one))),
        );
      case "get-many":
        return this.#at(operation.at, async (one) => {
          const values = await store.getMany(operation.keys.map(bytesOf), one);
          return values.map((value) => formatValue(textOf(value))).join(" ");
        });
      case "scan":
        return this.#at(operation.at, (one) => {
          const cursor = store.scan(rangeOf(operation, one));
          const { entries } = take(cursor, operation.limit ?? Infinity);
          cursor.close();
          return formatEntries(entries);
        });
      case "cursor":
        return this.#at(operation.at, (one) => {
          if (this.#cursors.has(operation.name)) return noneAnswer;
          this.#cursors.set(operation.name, store.scan(rangeOf(operation, one)));
          return "ok";
        });
      case "next":
        return this.#next(operation.name, operation.count);
      default:
        return this.#carryOutOther(operation, store);
    }
  }

  #carryOutOther(operation: Operation, store: Store): Promise<string> | string {
    switch (operation.kind) {
      case "close": {
        const cursor = this.#cursors.get(operation.name);
        cursor?.close();
        return this.#cursors.delete(operation.name) ? "ok" : noneAnswer;
      }
      case "snapshot":
        if (this.#snapshots.has(operation.name)) return noneAnswer;
        this.#snapshots.set(operation.name, store.snapshot());
        return "ok";
      case "release":
        this.#snapshots.get(operation.name)?.release();
        return this.#snapshots.delete(operation.name) ? "ok" : noneAnswer;
      case "tune":
        this.#world.tune(store, operation.option, operation.value);
        return "ok";
      case "agent":
        this.#agent = operation.name;
        this.#world.replaceAgent(store, operation.name);
        return "ok";
      case "wait":
        this.#world.wait(operation.ms);
        return "ok";
      case "flush-begin":
        return this.#begin(store.flush());
      case "compact-begin":
        return this.#begin(store.compactAll());
      case "checkpoint":
        return this.#checkpoints.has(operation.name) ? noneAnswer : this.#checkpoint(operation.name);
      case "open-checkpoint":
        return this.#checkpoints.has(operation.name) ? this.#openCheckpoint(operation.name) : noneAnswer;
      default:
        return this.#work(operation, store);
    }
  }

  async #work(operation: Operation, store: Store): Promise<string> {
    switch (operation.kind) {
      case "flush":
        return this.#flush(store);
      case "compact":
        await store.compactAll();
        return "ok";
      case "settle":
        await store.settle();
        return "ok";
      case "turns":
        for (let turn = 0; turn < operation.count; turn++) await this.#world.turn();
        return "ok";
      case "reopen-now":
        return this.#reopenNow();
      case "repair":
        return this.#repair(store);
      default:
        return this.#reopen();
    }
  }

  async #checkpoint(name: string): Promise<string> {
    await this.#present().checkpoint(this.#world.directoryOf(name));
    this.#checkpoints.add(name);
    return "ok";
  }

  #write(changes: readonly Change[], sync: boolean): Promise<string> | string {
    if (this.#world.ownLog) return this.#writeLogged(changes, sync);
    return this.#present().backpressure() === undefined ? this.#apply(changes) : this.#applyWithRoom(changes);
  }

  async #writeLogged(changes: readonly Change[], sync: boolean): Promise<string> {
    await this.#present().write(this.#world.batchOf(changes, this.#world.nowMs()), { sync });
    return "ok";
  }

  /** Each writer reads what it wrote as soon as its write resolves. */
  async #writeApart(changes: readonly Change[]): Promise<string> {
    if (!this.#world.ownLog) {
      for (const change of changes) await this.#applyWithRoom([change]);
      return "ok";
    }
    const store = this.#present();
    const written = changes.map(async (change, at) => {
      await store.write(this.#world.batchOf([change], this.#world.nowMs()), { sync: at % 3 !== 1 });
      if (change.kind === "deleteRange") return "ok";
      const due = formatValue(change.kind === "put" ? change.value : undefined);
      const got = formatValue(textOf(store.getSync(bytesOf(change.key))));
      return got === due ? "ok" : `${change.key} reads ${got} after its write of ${due} was acknowledged`;
    });
    return (await Promise.all(written)).find((answer) => answer !== "ok") ?? "ok";
  }

  async #applyWithRoom(changes: readonly Change[]): Promise<string> {
    const store = this.#present();
    for (let wait = store.backpressure(); wait !== undefined; wait = store.backpressure()) await wait;
    return this.#apply(changes);
  }

  #apply(changes: readonly Change[]): string {
    const store = this.#present();
    const batch = this.#world.batchOf(changes, this.#world.nowMs());
    const index = store.appliedIndex + 1;
    store.applySync(batch, index);
    this.#batches.push({ index, batch });
    return "ok";
  }

  async #flush(store: Store): Promise<string> {
    const index = store.appliedIndex;
    await store.flush();
    const { durableIndex } = store;
    return durableIndex >= index ? "ok" : `flushed ${index}, but durable is only ${durableIndex}`;
  }

  #begin(work: Promise<void>): string {
    this.#begun.push(work.then(() => "ok", (error: Error) => `error ${errorCodeOf(error)}: ${error.message}`));
    return "ok";
  }

  #next(name: string, count: number): string {
    const cursor = this.#cursors.get(name);
    if (cursor === undefined) return noneAnswer;
    const { entries, ended } = take(cursor, count);
    return formatEntries(entries) + (ended ? endMark : "");
  }

  /** The copy holds what was there; it also takes a write and a compaction, and the store sees nothing of it. */
  async #openCheckpoint(name: string): Promise<string> {
    const copy = await this.#world.open(name);
    try {
      const contents = everythingIn(copy);
      // A key that no program has.
      const batch = this.#world.batchOf([{ kind: "delete", key: "only of the copy" }], 0);
      copy.applySync(batch, copy.appliedIndex + 1);
      await copy.compactAll();
      const again = everythingIn(copy);
      return again === contents ? contents : `a compaction of the copy changed it from ${contents} to ${again}`;
    } finally {
      await copy.close();
    }
  }

  async #close(): Promise<string> {
    for (const cursor of this.#cursors.values()) cursor.close();
    for (const snapshot of this.#snapshots.values()) snapshot.release();
    this.#cursors.clear();
    this.#snapshots.clear();
    const begun = await Promise.all(this.#begun.splice(0));
    const failed = begun.find((answer) => answer !== "ok");
    if (failed !== undefined) return `begun work: ${failed}`;
    await this.#present().close();
    await this.#world.closeLog();
    return "ok";
  }

  async #reopen(): Promise<string> {
    const durable = this.#present().durableIndex;
    const closed = await this.#close();
    return closed === "ok" ? this.#openAgain(durable) : closed;
  }

  /** Begun work may end with the store; cursors and snapshots are let go of once another owner has the directory. */
  async #reopenNow(): Promise<string> {
    const store = this.#present();
    await this.#world.syncLog();
    const durable = store.durableIndex;
    const begun = this.#begun.splice(0);
    await store.close();
    const failed = (await Promise.all(begun)).find((answer) => answer !== "ok" && !answer.startsWith("error CLOSED:"));
    if (failed !== undefined) return `work begun before the close: ${failed}`;
    await this.#world.closeLog();
    const readers = [...this.#cursors.values()];
    const snapshots = [...this.#snapshots.values()];
    this.#cursors.clear();
    this.#snapshots.clear();
    const opened = await this.#openAgain(durable);
    for (const cursor of readers) cursor.close();
    for (const snapshot of snapshots) snapshot.release();
    return opened;
  }

  async #repair(store: Store): Promise<string> {
    await store.flush();
    const contents = everythingIn(store);
    const durable = store.durableIndex;
    const closed = await this.#close();
    if (closed !== "ok") return closed;
    const name = `repaired-${this.#repairs++}`;
    const problems = this.#world.repair(name);
    if (problems !== false && problems.length > 0) return `the closed store has ${problems.join("; ")}`;
    const opened = await this.#openAgain(durable);
    if (opened !== "ok" || problems === false) return opened === "ok" ? contents : opened;
    const copy = await this.#world.open(name);
    try {
      const repaired = everythingIn(copy);
      return repaired === contents ? contents : `repair made ${repaired} of ${contents}`;
    } finally {
      await copy.close();
    }
  }

  /** Loses power between two steps of the world, and opens what is left in a new one. */
  async #crash(): Promise<string> {
    const synced = await this.#caught(async () => {
      await this.#world.syncLog();
      return "ok";
    });
    if (synced !== "ok") return synced;
    const durable = this.#present().durableIndex;
    if (!this.#world.losePower()) return this.#caught(() => this.#reopen());
    this.#cursors.clear();
    this.#snapshots.clear();
    this.#begun.length = 0;
    return this.#caught(() => this.#openAgain(durable));
  }

  async #openAgain(durableBefore: number): Promise<string> {
    await this.#open();
    const store = this.#present();
    if (store.durableIndex < durableBefore) {
      return `durable was ${durableBefore}, after opening again it is ${store.durableIndex}`;
    }
    if (this.#world.ownLog) return "ok";
    const last = this.#batches[this.#batches.length - 1]?.index ?? 0;
    if (store.appliedIndex > last) return `${store.appliedIndex} is applied, but only ${last} were written`;
    for (const { index, batch } of this.#batches) {
      if (index <= store.appliedIndex) continue;
      for (let wait = store.backpressure(); wait !== undefined; wait = store.backpressure()) await wait;
      store.applySync(batch, index);
    }
    return "ok";
  }

  #at<Answer>(name: string | undefined, read: (snapshot: StoreSnapshot | undefined) => Answer): Answer | string {
    if (name === undefined) return read(undefined);
    const snapshot = this.#snapshots.get(name);
    return snapshot === undefined ? noneAnswer : read(snapshot);
  }

  #present(): Store {
    if (this.#store === undefined) throw new Error("the store is not open");
    return this.#store;
  }
}

function rangeOf({ from, to, reverse }: Range, snapshot: StoreSnapshot | undefined): StoreRange {
  const bound = (text: string | undefined) => (text === undefined ? undefined : bytesOf(text));
  const range = { gte: bound(from), lt: bound(to), reverse };
  return snapshot === undefined ? range : { ...range, snapshot };
}

/** Up to `count` entries; `ended` where the cursor has no more. */
function take(cursor: StoreCursor, count: number): { entries: [string, string][]; ended: boolean } {
  const entries: [string, string][] = [];
  while (entries.length < count) {
    if (!cursor.next()) return { entries, ended: true };
    entries.push([latin1(cursor.key), latin1(cursor.value)]);
  }
  return { entries, ended: false };
}

function everythingIn(store: Store): string {
  const cursor = store.scan({});
  try {
    return formatEntries(take(cursor, Infinity).entries);
  } finally {
    cursor.close();
  }
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : latin1(bytes);
}
