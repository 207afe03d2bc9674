/**
 * Hostile bytes against the protocol: mutations of recorded sessions, before and after login.
 *
 * Held for every input: nothing is thrown; what comes back is whole packets in sequence; nothing
 * runs and nothing is answered but the login before it has ended; memory and statements are given
 * back when the connection goes. LATHE_FUZZ_RUNS sets the number of inputs (default 3000),
 * LATHE_FUZZ_SEED the first seed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Authenticator } from "./authentication.ts";
import { InboundBuffer } from "../../inbound-buffer.ts";
import { ProtocolHarness, seededRandom } from "./protocol-harness.fixture.ts";
import { command, executeCommand, frame, handshakeResponse } from "./raw-client.fixture.ts";
import { SessionStatements } from "./session-statements.ts";
import { Session } from "./session.ts";

const runs = Number(process.env["LATHE_FUZZ_RUNS"] ?? 3000);
const firstSeed = Number(process.env["LATHE_FUZZ_SEED"] ?? 1);

const recorded: readonly Buffer[] = [
  command(0x03, "select all"), command(0x03, "select rest; update; fail"), command(0x16, "set ?, ?, ?"),
  command(0x16, "select mixed"), executeCommand(1, [1n, 2n, 3n]), executeCommand(2, []),
  command(0x17, Buffer.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0b010, 1, 0xfd, 0, 6, 0, 0x0c, 0, 3, 97, 98, 99, 4, 1, 2, 3, 4)),
  command(0x18, Buffer.of(1, 0, 0, 0, 1, 0), "long"), command(0x19, Buffer.of(1, 0, 0, 0)), command(0x0e), command(0x1f),
  command(0x11, "lathe\0\0db\0"), command(0x1b, Buffer.of(0, 0)), command(0x09), command(0x02, "db"),
  command(0x03, "select later"), frame(1, handshakeResponse({ user: "lathe", scramble: Buffer.alloc(20, 3) })),
  frame(1, handshakeResponse({ user: "lathe", scramble: Buffer.alloc(32, 3), plugin: "caching_sha2_password" })),
];

interface Choice {
  below(count: number): number;
  bytes(length: number): Uint8Array;
}

function choiceOf(seed: number): Choice {
  const { u32, bytes } = seededRandom(Math.imul(seed, 0x9e37_79b1) >>> 0);
  return { below: (count) => Math.floor((u32() / 2 ** 32) * count), bytes };
}

/** One input: packets of the record, some of them damaged. */
function inputOf(choice: Choice): Buffer {
  const packets = Array.from({ length: 1 + choice.below(6) }, () => mutate(choice, recorded[choice.below(recorded.length)]));
  return Buffer.concat(packets);
}

function mutate(choice: Choice, original: Buffer): Buffer {
  const bytes = Buffer.from(original);
  switch (choice.below(8)) {
    case 0:
      return bytes.subarray(0, choice.below(bytes.length));
    case 1:
      bytes[choice.below(4)] = choice.below(256);
      return bytes;
    case 2:
    case 3:
      for (let i = 0; i <= choice.below(4); i++) bytes[4 + choice.below(bytes.length - 4)] = choice.below(256);
      return bytes;
    case 4: {
      // A shorter payload in a frame that says so: truncated fields rather than a half-sent packet.
      const payload = bytes.subarray(4, 4 + choice.below(bytes.length - 3));
      return frame(bytes[3], payload);
    }
    case 5:
      return frame(bytes[3], Buffer.concat([bytes.subarray(4), choice.bytes(choice.below(60))]));
    case 6:
      return Buffer.from(choice.bytes(choice.below(80)));
    default:
      return bytes;
  }
}

async function feed(harness: ProtocolHarness, choice: Choice, input: Buffer): Promise<void> {
  for (let at = 0; at < input.length; ) {
    const chunk = Uint8Array.from(input.subarray(at, at + 1 + choice.below(120)));
    harness.protocol.receive(chunk);
    at += chunk.length;
    chunk.fill(0xee);
    if (harness.protocol.busy && choice.below(2) === 0) await turn();
  }
}

function checkEnd(harness: ProtocolHarness, seed: number): void {
  harness.take();
  harness.protocol.disconnected();
  const { inbound, statements, slab } = harness.context;
  assert.deepEqual([inbound.used, statements.used, slab.leased], [0, 0, false], `seed ${seed}`);
}

async function fuzzSessions(count: number): Promise<void> {
  const seen = { ok: 0, error: 0, closed: 0 };
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const choice = choiceOf(seed);
    const limits = { packetBytesMax: 100_000, inboundBytesMax: 50_000, longDataBytesMax: 1000, pipelineBytesMax: 1024 };
    const harness = new ProtocolHarness({ limits }).logIn();
    // Statements that exist, so that damaged executions and long data get beyond "unknown statement".
    if (choice.below(2) === 0) harness.ask(Buffer.concat(recorded.slice(2, 4)));
    await feed(harness, choice, inputOf(choice));
    for (const { payload } of harness.take()) {
      if (payload[0] === 0xff) seen.error++;
      else seen.ok++;
    }
    if (harness.protocol.phase === "closed") seen.closed++;
    checkEnd(harness, seed);
  }
  for (const [what, times] of Object.entries(seen)) assert.ok(times > count / 20, `${what} was seen ${times} times`);
}

async function fuzzLogins(count: number): Promise<void> {
  let refused = 0;
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const choice = choiceOf(seed);
    const harness = new ProtocolHarness();
    harness.take();
    const first = choice.below(2) === 0 ? Buffer.alloc(0) : mutate(choice, recorded[recorded.length - 1 - choice.below(2)]);
    await feed(harness, choice, Buffer.concat([first, inputOf(choice)]));
    assert.equal(harness.executor.calls.length, 0, `seed ${seed} ran a statement`);
    assert.notEqual(harness.protocol.phase, "command", `seed ${seed} got in`);
    for (const { payload } of harness.take()) {
      assert.ok([0xff, 0xfe, 0x01].includes(payload[0]), `seed ${seed} was answered ${payload.toString("hex")}`);
      if (payload[0] === 0xff) refused++;
    }
    checkEnd(harness, seed);
  }
  assert.ok(refused > count / 3, `${refused} were refused`);
}

test(`${runs} hostile inputs after login: no throw, whole packets, nothing left`, () => fuzzSessions(runs));

test(`${runs} hostile inputs before login: nothing runs and nobody gets in`, () => fuzzLogins(runs));

test("the fuzzer finds planted bugs", async (context) => {
  const plant = async (prototype: object, method: string, broken: (...given: never[]) => unknown, fuzz: () => Promise<void>) => {
    const planted = context.mock.method(prototype as Record<string, (...given: never[]) => unknown>, method, broken);
    await assert.rejects(fuzz(), `${method} was broken and nobody noticed`);
    planted.mock.restore();
  };
  const some = Math.min(runs, 2000);
  await plant(Authenticator.prototype, "begin", () => ({ kind: "accepted", fast: true }), () => fuzzLogins(some));
  await plant(SessionStatements.prototype, "clear", () => {}, () => fuzzSessions(some));
  await plant(SessionStatements.prototype, "forgetLongData", () => {}, () => fuzzSessions(some));
  await plant(InboundBuffer.prototype, "release", () => {}, () => fuzzSessions(some));
  await plant(Session.prototype, "conclude", (error: never) => { throw error as Error; }, () => fuzzSessions(some));
});
