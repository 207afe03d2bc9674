/**
 * A fuzzer of the MySQL protocol: batches of hostile inputs against connections of one surface, with a neighbour.
 *
 * A batch is one world: a context, an executor and a neighbour that has logged in, all from one seed. An input is what
 * one connection sends in its life: packets drawn by a grammar (packet-grammar.fixture.ts), or packets of an input that
 * has led to an answer not seen before in this batch, damaged once more; cut into chunks at any place.
 * Some are killed while a statement runs, or end with a transaction open.
 * Held for every input:
 *   1. nothing is thrown, and no packet is read beyond its end;
 *   2. what comes back is whole packets in sequence, and before the login has ended nothing but the login's;
 *   3. nothing runs before the login; not more statements run than were sent; every command that has an answer gets one;
 *   4. a connection that is left is in a right state: it answers a ping, or waits for the rest of a packet;
 *   5. it ends: whatever waits has been answered after a bounded number of turns;
 *   6. when it has gone everything it took has been given back, snapshots of open transactions and cursors among it;
 *   7. the neighbour is answered as before, byte for byte.
 */
import assert from "node:assert/strict";
import type { Clock, Timer } from "../../../../../kit/env/env.ts";
import type { Executor, ExecutorSession, PreparedStatement, ResultSink } from "../../../../query_processing/executor.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import type { ColumnValue } from "../../../catalog/table.ts";
import { ConnectionProtocol } from "./connection-protocol.ts";
import { Choice, commandPayload, framed, loginPayload } from "./packet-grammar.fixture.ts";
import { createProtocolContext } from "./protocol-context.ts";
import type { ProtocolContext, ProtocolHost } from "./protocol-context.ts";
import { credentials, RecordingLog, seededRandom } from "./protocol-harness.fixture.ts";
import { command, executeCommand, frame, handshakeResponse, nativeScramble, nonceOf, packetsOf, sha2Scramble } from "./raw-client.fixture.ts";
import type { Packet } from "./raw-client.fixture.ts";
import { ScriptedExecutor } from "./scripted-executor.fixture.ts";

export const inputsPerBatch = 500;
/** Turns of the event loop after which whatever was asked must have been answered. */
const turnsMax = 200;
const corpusMax = 64;
/** QUIT, STMT_SEND_LONG_DATA, STMT_CLOSE. */
const unanswered = new Set([0x01, 0x18, 0x19]);

const limits = {
  packetBytesMax: 100_000, inboundBytesMax: 50_000, longDataBytesMax: 1000, pipelineBytesMax: 4096,
  statementBytesMax: 20_000, turnUs: 1000,
} as const;

export const scriptedTexts: readonly string[] = [
  "select all", "select rest; update; fail", "set ?, ?, ?", "set ?", "select mixed", "select later", "silent", "update",
  "fail", "nonsense", "", " ; ", "select plain;select later;update", "é'\"`/*", "select all;".repeat(30),
];

/** Counts what runs; the statements themselves are the inner executor's. */
class CountingExecutor implements Executor {
  calls = 0;
  readonly #inner: Executor;

  constructor(inner: Executor) {
    this.#inner = inner;
  }

  openSession(): ExecutorSession {
    const session = this.#inner.openSession();
    const count = () => void this.calls++;
    return {
      get inTransaction() {
        return session.inTransaction;
      },
      get autocommit() {
        return session.autocommit;
      },
      reset: () => session.reset(),
      execute(statement, parameters, sink) {
        count();
        return session.execute(statement, parameters, sink);
      },
      query(sql, sink) {
        count();
        return session.query(sql, sink);
      },
    };
  }

  prepare(sql: string): PreparedStatement {
    this.calls++;
    return this.#inner.prepare(sql);
  }

  execute(statement: PreparedStatement, parameters: readonly ColumnValue[], sink: ResultSink): Promise<void> | undefined {
    return this.#inner.execute(statement, parameters, sink);
  }

  query(sql: string, sink: ResultSink): Promise<void> | undefined {
    return this.#inner.query(sql, sink);
  }

  metrics() {
    return [];
  }
}

/** Time passes with every look at it, so that turns are used up; what is deferred runs when it is pumped. */
class StepClock implements Clock {
  stepUs = 0;
  #us = 1e12;
  #deferred: (() => void)[] = [];

  nowMs(): number {
    return this.#us / 1000;
  }

  monotonicUs(): number {
    return (this.#us += this.stepUs);
  }

  setTimer(): Timer {
    return { cancel: () => undefined, keepAlive: () => undefined };
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Whether something waits to be pumped. */
  get due(): boolean {
    return this.#deferred.length > 0;
  }

  /** Whether there was something to run. */
  pump(): boolean {
    const due = this.#deferred;
    this.#deferred = [];
    for (const callback of due) callback();
    return due.length > 0;
  }
}

class FuzzHost implements ProtocolHost {
  readonly remoteAddress = "127.0.0.1:1";
  readonly protocol: ConnectionProtocol;
  tls = false;
  #written: Buffer[] = [];

  constructor(context: ProtocolContext, connectionId: number, tls: "absent" | "offered") {
    this.protocol = new ConnectionProtocol(context, this, connectionId, tls);
    this.protocol.greet();
  }

  send(bytes: Uint8Array): boolean {
    this.#written.push(Buffer.from(bytes));
    return true;
  }

  take(): Packet[] {
    const written = this.#written;
    if (written.length === 0) return [];
    this.#written = [];
    return packetsOf(written.length === 1 ? written[0] : Buffer.concat(written));
  }

  ask(bytes: Buffer): Packet[] {
    this.protocol.receive(bytes);
    return this.take();
  }

  startTls(): void {
    this.tls = true;
  }

  unsentBytes(): number {
    return 0;
  }

  unsentTooMuch(): boolean {
    return false;
  }

  blocked(): boolean {
    return false;
  }

  settled(): void {}

  destroy(): void {
    this.protocol.disconnected();
  }
}

export interface FuzzCounts {
  inputs: number;
  answers: number;
  errors: number;
  closed: number;
  statements: number;
  kills: number;
  /** Kinds of answers that were seen, by what they answered. */
  readonly seen: Set<string>;
}

export function emptyCounts(): FuzzCounts {
  return { inputs: 0, answers: 0, errors: 0, closed: 0, statements: 0, kills: 0, seen: new Set() };
}

export interface FuzzTarget {
  /** Made anew for every batch. */
  readonly createExecutor: () => Executor;
  /** What sessions hold of the store behind the executor. */
  readonly held?: (executor: Executor) => readonly number[];
  readonly texts: readonly string[] | ((choice: Choice) => readonly string[]);
}

export const scriptedTarget: FuzzTarget = {
  createExecutor: () => new ScriptedExecutor(rowToKv),
  texts: scriptedTexts,
};

/** One world of one seed. */
export class ProtocolBatch {
  readonly #seed: number;
  readonly #turn: () => Promise<unknown>;
  readonly #choice: Choice;
  readonly #clock = new StepClock();
  readonly #context: ProtocolContext;
  readonly #executor: CountingExecutor;
  readonly #heldBehind: () => readonly number[];
  readonly #texts: readonly string[];
  readonly #neighbour: FuzzHost;
  readonly #neighbourAnswer: string;
  readonly #base: readonly number[];
  readonly #corpus: Buffer[][] = [];
  readonly #counts: FuzzCounts;
  #connectionId = 1;
  /** Commands that must be answered. */
  #expected = 0;

  /** `turn` lets a turn of the event loop pass. */
  constructor(seed: number, target: FuzzTarget, counts: FuzzCounts, turn: () => Promise<unknown>) {
    this.#turn = turn;
    this.#seed = seed;
    this.#choice = new Choice(seed);
    this.#counts = counts;
    const inner = target.createExecutor();
    this.#executor = new CountingExecutor(inner);
    this.#heldBehind = () => target.held?.(inner) ?? [];
    this.#texts = typeof target.texts === "function" ? target.texts(this.#choice) : target.texts;
    this.#context = createProtocolContext(
      { clock: this.#clock, random: seededRandom(seed), log: new RecordingLog() },
      {
        executor: this.#executor, credentials, layout: rowToKv, limits,
        authentication: { fastPath: true, nativePassword: seed % 3 !== 0 || seed % 2 === 0 },
      },
    );
    const { metrics } = this.#context;
    const countCommand = metrics.countCommand.bind(metrics);
    metrics.countCommand = (code) => {
      countCommand(code);
      if (!unanswered.has(code)) this.#expected++;
    };
    this.#neighbour = this.#open("absent");
    this.#logIn(this.#neighbour);
    const [prepared] = this.#neighbour.ask(command(0x16, this.#texts[0]));
    assert.equal(prepared.payload[0], 0, "the neighbour's statement is one that can be prepared");
    this.#neighbourAnswer = this.#askNeighbour();
    this.#base = this.#held();
  }

  async run(inputs = inputsPerBatch): Promise<void> {
    for (let input = 0; input < inputs; input++) {
      try {
        await this.#input(input);
      } catch (thrown) {
        const where = `seed ${this.#seed}, input ${input}`;
        throw new Error(`${where}: ${(thrown as Error).message}`, { cause: thrown });
      }
    }
    assert.equal(this.#askNeighbour(), this.#neighbourAnswer, `seed ${this.#seed}: the neighbour is answered otherwise`);
  }

  #open(tls: "absent" | "offered"): FuzzHost {
    return new FuzzHost(this.#context, ++this.#connectionId, tls);
  }

  #logIn(host: FuzzHost): void {
    const [greeting] = host.take();
    const scramble = nativeScramble(credentials.password, nonceOf(greeting));
    const [answer] = host.ask(frame(1, handshakeResponse({ user: credentials.user, scramble })));
    if (answer.payload[0] === 0) return;
    // Without mysql_native_password the server asks for its own plugin; under that the login is by its scramble.
    const nonce = answer.payload.subarray(-21, -1);
    assert.equal(host.ask(frame(3, sha2Answer(nonce))).at(-1)?.payload[0], 0, "the login is accepted");
  }

  #askNeighbour(): string {
    const bytes = Buffer.concat([executeCommand(1, []), command(0x0e)]);
    return this.#neighbour.ask(bytes).map(({ sequence, payload }) => `${sequence}${payload.toString("hex")}`).join();
  }

  /** What connections hold of what they share. */
  #held(): number[] {
    const { inbound, statements, statementBytes, unsent, slab } = this.#context;
    const { used } = inbound;
    return [used, statements.used, statementBytes.used, unsent.used, Number(slab.leased), ...this.#heldBehind()];
  }

  async #input(number: number): Promise<void> {
    const choice = this.#choice;
    const counts = this.#counts;
    counts.inputs++;
    this.#clock.stepUs = choice.below(4) === 0 ? 300 : 0;
    const before = choice.below(3) === 0;
    const host = this.#open(before && choice.below(2) === 0 ? "offered" : "absent");
    if (!before) this.#logIn(host);
    else host.take();
    // Statements that exist, so that executions and long data get beyond "unknown statement".
    if (!before && choice.below(2) === 0) {
      for (let i = 0; i < 3; i++) host.ask(command(0x16, choice.of(this.#texts)));
      await this.#settle(host);
      host.take();
    }
    const packets = this.#packets(before);
    const callsBefore = this.#executor.calls;
    this.#expected = 0;
    await this.#feed(host, Buffer.concat(packets));
    this.#checkAnswers(host, before, packets, this.#executor.calls - callsBefore);
    host.protocol.disconnected();
    if (host.protocol.busy || this.#clock.due) await this.#settle(host);
    host.take();
    const held = this.#held();
    for (let i = 0; i < held.length; i++) {
      if (held[i] !== this.#base[i]) assert.deepEqual(held, this.#base, "what the connection took was given back");
    }
    if (number % 50 === 49) assert.equal(this.#askNeighbour(), this.#neighbourAnswer, "the neighbour is answered otherwise");
  }

  #packets(before: boolean): Buffer[] {
    const choice = this.#choice;
    if (this.#corpus.length > 0 && choice.below(4) === 0) {
      const known = choice.of(this.#corpus);
      return known.map((packet) => {
        const sequence = packet.length > 3 ? packet[3] : 0;
        return framed(choice, sequence, packet.subarray(4), known.length + 1);
      });
    }
    const count = 1 + choice.below(6);
    if (!before) return Array.from({ length: count }, () => framed(choice, 0, commandPayload(choice, this.#texts), 3));
    return Array.from({ length: count }, (_, i) => {
      // After a login that went wrong, or did not take place, commands.
      if (i > 0 && choice.below(3) === 0) return framed(choice, 0, commandPayload(choice, this.#texts), 4);
      return framed(choice, 1 + 2 * i, loginPayload(choice), 4);
    });
  }

  async #feed(host: FuzzHost, bytes: Buffer): Promise<void> {
    const choice = this.#choice;
    const { reader } = this.#context;
    for (let at = 0; at < bytes.length && !host.tls; ) {
      const chunk = Buffer.from(bytes.subarray(at, at + 1 + choice.below(choice.below(8) === 0 ? 8 : 600)));
      host.protocol.receive(chunk);
      assert.ok(reader.position <= reader.end, "a packet was read beyond its end");
      at += chunk.length;
      // Bytes are valid during the call only: who kept them sees others now.
      chunk.fill(0xee);
      if (host.protocol.waiting && choice.below(12) === 0) this.#kill(host);
      if (host.protocol.waiting && choice.below(2) === 0) await this.#settle(host);
    }
    if (host.protocol.busy || this.#clock.due) await this.#settle(host);
  }

  /** By somebody else, while a statement runs or a text waits for its next turn. */
  #kill(host: FuzzHost): void {
    host.protocol.kill(this.#choice.below(3) === 0 ? "connection" : "query");
    this.#counts.kills++;
  }

  async #settle(host: FuzzHost): Promise<void> {
    for (let turns = 0; this.#clock.pump() || host.protocol.busy; turns++) {
      assert.ok(turns < turnsMax, "a statement does not end");
      if (host.protocol.busy) await this.#turn();
    }
  }

  #checkAnswers(host: FuzzHost, before: boolean, packets: readonly Buffer[], calls: number): void {
    const counts = this.#counts;
    const { protocol } = host;
    const answers = host.take();
    // Numbers wrap after 256 packets, and then an answer cannot be told from the one before.
    if (!before && protocol.phase !== "closed" && answers.length < 250) {
      const answered = answers.filter(({ sequence }) => sequence === 1).length;
      assert.equal(answered, this.#expected, "every command that has an answer gets one");
    }
    counts.answers += answers.length;
    counts.statements += calls;
    if (before) {
      assert.equal(calls, 0, "a statement ran before the login");
      assert.notEqual(protocol.phase, "command", "a client got in without the password");
      for (const { payload } of answers) {
        assert.ok([0xff, 0xfe, 0x01].includes(payload[0]), `answered before the login: ${payload.toString("hex")}`);
      }
    }
    // Each packet holds at most one command; a chunk of garbage at most one per five bytes.
    const bytes = packets.reduce((sum, packet) => sum + packet.length, 0);
    assert.ok(calls <= bytes / 5 + packets.length, `${calls} statements from ${bytes} bytes`);
    const signature = `${protocol.phase} ${host.tls} ${answers.map(kindOf).join(" ")}`.slice(0, 100);
    if (!counts.seen.has(signature) && counts.seen.size < 20_000) {
      counts.seen.add(signature);
      if (this.#corpus.length < corpusMax) this.#corpus.push([...packets]);
    }
    counts.errors += answers.filter(({ payload }) => payload[0] === 0xff).length;
    if (protocol.phase === "closed") counts.closed++;
    else if (protocol.phase === "command" && protocol.keptBytes === 0 && !host.tls) this.#checkPing(host);
  }

  #checkPing(host: FuzzHost): void {
    const answer = host.ask(command(0x0e));
    assert.equal(answer.length, 1, "a ping has one answer");
    assert.equal(answer[0].sequence, 1, "the answer to a ping is the first packet of its own");
    assert.equal(answer[0].payload[0], 0, "the connection is in a right state");
  }
}

function kindOf({ payload }: Packet): string {
  if (payload[0] === 0xff && payload.length >= 3) return `E${payload.readUInt16LE(1)}`;
  return `${payload[0]}`;
}

function sha2Answer(nonce: Buffer): Buffer {
  return Buffer.from(sha2Scramble(credentials.password, nonce));
}
