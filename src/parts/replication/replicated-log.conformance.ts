/**
 * What every ReplicatedLog must do, on one node or many, shown with a state machine that is as small
 * as can be.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { type ErrorCode, LatheError } from "../../kit/errors.ts";
import type { LogEntry, ReplicatedLog, StateMachine } from "./replicated-log.ts";

/**
 * One place where a log lives; `open` may be called again, with a fresh state machine, after the log
 * was closed.
 */
export interface ReplicatedLogPlace {
  open(stateMachine: StateMachine): Promise<ReplicatedLog>;
  remove(): Promise<void>;
}

/**
 * Keeps a running hash over all it applied: two of them are equal exactly if they applied the same
 * entries in the same order. Commands are texts; `refuse CODE` throws that code and changes nothing.
 */
export class HashingStateMachine implements StateMachine {
  appliedIndex: number;
  durableIndex = 0;
  readonly applied: { index: number; timestampMs: number; text: string }[] = [];
  room: Promise<void> | undefined;
  #hash = "";

  constructor(appliedIndex = 0) {
    this.appliedIndex = appliedIndex;
  }

  get hash(): string {
    return this.#hash;
  }

  apply(index: number, entry: LogEntry): string {
    assert.ok(index > this.appliedIndex, "indexes ascend");
    const text = new TextDecoder().decode(entry.command);
    const refusal = /^refuse (\w+)$/.exec(text)?.[1];
    if (refusal !== undefined) throw new LatheError(refusal as ErrorCode, "refused by the state machine");
    const facts = [index, entry.timestampMs, entry.term, entry.clientId, entry.requestId, text];
    this.#hash = createHash("sha256").update(this.#hash).update(JSON.stringify(facts)).digest("hex");
    this.applied.push({ index, timestampMs: entry.timestampMs, text });
    this.appliedIndex = index;
    return `did ${text}`;
  }

  backpressure(): Promise<void> | undefined {
    return this.room;
  }
}

export function commandOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function replicatedLogConformance(name: string, makePlace: () => Promise<ReplicatedLogPlace>): void {
  const withPlace = (title: string, body: (place: ReplicatedLogPlace) => Promise<void>) => {
    test(title, async () => {
      const place = await makePlace();
      try {
        await body(place);
      } finally {
        await place.remove();
      }
    });
  };

  const openAndRecover = async (place: ReplicatedLogPlace, machine: StateMachine) => {
    const log = await place.open(machine);
    const { replayedEntries } = await log.recover();
    return { log, replayedEntries };
  };

  describe(`ReplicatedLog conformance: ${name}`, () => {
    withPlace("outcomes carry the index and the state machine's result, in the order of proposing", async (place) => {
      const machine = new HashingStateMachine();
      const { log } = await openAndRecover(place, machine);
      const texts = Array.from({ length: 200 }, (_, at) => `command ${at}`);
      const outcomes = await Promise.all(texts.map((text) => log.propose(commandOf(text))));
      assert.deepEqual(outcomes.map(({ result }) => result), texts.map((text) => `did ${text}`));
      const indexes = outcomes.map(({ index }) => index);
      assert.deepEqual(indexes, indexes.toSorted((a, b) => a - b));
      assert.equal(new Set(indexes).size, texts.length);
      assert.deepEqual(machine.applied.map(({ text }) => text), texts);
      assert.equal(log.appliedIndex, machine.appliedIndex);
      await log.close();
    });

    withPlace("one log applied to two replicas gives equal states", async (place) => {
      const first = new HashingStateMachine();
      const { log } = await openAndRecover(place, first);
      await Promise.all(Array.from({ length: 100 }, (_, at) => log.propose(commandOf(`command ${at}`))));
      await log.close();
      const second = new HashingStateMachine();
      const { log: again, replayedEntries } = await openAndRecover(place, second);
      assert.equal(replayedEntries, 100);
      assert.equal(second.hash, first.hash);
      // The planted difference: a replica that misses one entry must not compare equal.
      const third = new HashingStateMachine();
      for (const { index, timestampMs, text } of first.applied.slice(1)) {
        third.apply(index, { timestampMs, term: 1, clientId: 0, requestId: 0, command: commandOf(text) });
      }
      assert.notEqual(third.hash, first.hash);
      await again.close();
    });

    withPlace("only what the state lacks is replayed", async (place) => {
      const { log } = await openAndRecover(place, new HashingStateMachine());
      for (let at = 0; at < 10; at++) await log.propose(commandOf(`command ${at}`));
      const { appliedIndex } = log;
      await log.close();
      const machine = new HashingStateMachine(appliedIndex - 3);
      const { log: again, replayedEntries } = await openAndRecover(place, machine);
      assert.equal(replayedEntries, 3);
      assert.deepEqual(machine.applied.map(({ text }) => text), ["command 7", "command 8", "command 9"]);
      assert.equal((await again.propose(commandOf("next"))).index, appliedIndex + 1);
      await again.close();
    });

    withPlace("what follows from the entry rejects its proposal and changes nothing, also at replay", async (place) => {
      const machine = new HashingStateMachine();
      const { log } = await openAndRecover(place, machine);
      const proposals = ["a", "refuse LIMIT_EXCEEDED", "b"].map((text) => log.propose(commandOf(text)));
      const settled = await Promise.allSettled(proposals);
      assert.deepEqual(settled.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
      await assert.rejects(proposals[1], { code: "LIMIT_EXCEEDED" });
      await log.close();
      const replica = new HashingStateMachine();
      const { log: again } = await openAndRecover(place, replica);
      assert.equal(replica.hash, machine.hash);
      await again.close();
    });

    withPlace("an entry that cannot be applied here stops the log; it is applied at the next start", async (place) => {
      const machine = new HashingStateMachine();
      const { log } = await openAndRecover(place, machine);
      await log.propose(commandOf("a"));
      machine.apply = () => {
        throw new LatheError("IO_ERROR", "the disk is gone");
      };
      const both = [log.propose(commandOf("b")), log.propose(commandOf("c"))];
      for (const proposal of both) await assert.rejects(proposal, { code: "IO_ERROR" });
      await assert.rejects(log.propose(commandOf("d")), { code: "IO_ERROR" });
      await log.close();
      const replica = new HashingStateMachine();
      const { log: again } = await openAndRecover(place, replica);
      assert.deepEqual(replica.applied.map(({ text }) => text).slice(0, 2), ["a", "b"]);
      await again.close();
    });

    withPlace("the state machine's back-pressure holds commands up, and limits refuse more", async (place) => {
      const machine = new HashingStateMachine();
      const { log } = await openAndRecover(place, machine);
      let release = () => {};
      machine.room = new Promise((resolve) => (release = resolve));
      const held = log.propose(commandOf("held"));
      const flood = Array.from({ length: 10_000 }, () => log.propose(commandOf("flood")));
      const refusal = await Promise.any(flood.map((proposal) => proposal.then(() => assert.fail(), (error) => error)));
      assert.equal(refusal.code, "BACKPRESSURE");
      assert.deepEqual(machine.applied, []);
      machine.room = undefined;
      release();
      assert.equal((await held).result, "did held");
      await Promise.allSettled(flood);
      assert.equal((await log.propose(commandOf("after"))).result, "did after");
      await log.close();
    });

    withPlace("the log is cut behind what the state keeps durable, and goes on after reopening", async (place) => {
      const machine = new HashingStateMachine();
      const { log } = await openAndRecover(place, machine);
      for (let at = 0; at < 300; at++) {
        await log.propose(commandOf(`command ${at} ${"x".repeat(200)}`));
        machine.durableIndex = machine.appliedIndex;
      }
      const { appliedIndex } = log;
      await log.close();
      // A state that forgot what it called durable is refused, not silently continued.
      const forgetful = await place.open(new HashingStateMachine());
      await assert.rejects(forgetful.recover(), { code: "CORRUPTION" });
      await forgetful.close();
      const survivor = new HashingStateMachine(appliedIndex);
      const { log: again, replayedEntries } = await openAndRecover(place, survivor);
      assert.equal(replayedEntries, 0);
      await again.propose(commandOf("next"));
      assert.ok((survivor.applied.at(-1)?.timestampMs ?? 0) >= (machine.applied.at(-1)?.timestampMs ?? 0));
      await again.close();
    });

    withPlace("close ends what was proposed and refuses more", async (place) => {
      const { log } = await openAndRecover(place, new HashingStateMachine());
      const last = log.propose(commandOf("last"));
      const closing = log.close();
      assert.equal((await last).result, "did last");
      await closing;
      await assert.rejects(log.propose(commandOf("late")), { code: "CLOSED" });
    });
  });
}
