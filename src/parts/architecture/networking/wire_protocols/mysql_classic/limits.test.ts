/** Every limit of the table is met once, and what was met is checked against the table at the end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { mysqlLimitTable, resolveLimits } from "./limits.ts";
import { metricOf } from "../../manual-network.fixture.ts";
import { openManualSurface } from "./manual-network.fixture.ts";
import { errorNumberOf, ProtocolHarness } from "./protocol-harness.fixture.ts";
import { command, executeCommand, frame } from "./raw-client.fixture.ts";
import { objectsTable, shapeOf } from "./scripted-executor.fixture.ts";

const met = new Set<string>();

function limitTest(name: keyof typeof mysqlLimitTable, run: () => void | Promise<void>): void {
  test(`limit: ${name}`, async () => {
    await run();
    met.add(name);
  });
}

limitTest("connectionsMax", async () => {
  const { surface, connect } = await openManualSurface({ connectionsMax: 2, connectionsWaitingMax: 0 });
  const [first] = [connect().logIn(), connect()];
  const third = connect();
  const [refusal] = third.take();
  assert.equal(refusal.sequence, 0);
  assert.equal(errorNumberOf(refusal), 1040);
  assert.equal(third.ended, true);
  assert.equal(metricOf(surface, "mysql_connections_refused_total"), 1);
  first.destroy();
  connect().logIn();
  assert.equal(metricOf(surface, "mysql_connections"), 2);
  await surface.close();
  assert.equal(metricOf(surface, "mysql_connections"), 0);
});

limitTest("connectionsWaitingMax", async () => {
  const { surface, connect } = await openManualSurface({ connectionsMax: 1, connectionsWaitingMax: 2 });
  const first = connect().logIn();
  const [second, third, fourth] = [connect(), connect(), connect()];
  assert.equal(errorNumberOf(fourth.take()[0]), 1040);
  assert.deepEqual([second.take(), second.paused, third.take()], [[], true, []]);
  assert.equal(metricOf(surface, "mysql_connections_waiting"), 2);
  first.destroy();
  assert.equal(second.paused, false);
  second.logIn();
  third.destroy();
  assert.equal(metricOf(surface, "mysql_connections_waiting"), 0);
  second.destroy();
  connect().logIn();
  assert.equal(metricOf(surface, "mysql_connections"), 1);
  await surface.close();
});

limitTest("waitingTimeoutMs", async () => {
  const { surface, clock, connect } = await openManualSurface({ connectionsMax: 1, waitingTimeoutMs: 1000 });
  const first = connect().logIn();
  clock.advance(600);
  const waiting = connect();
  clock.advance(900);
  assert.deepEqual(waiting.take(), []);
  clock.advance(600);
  assert.equal(errorNumberOf(waiting.take()[0]), 1040);
  assert.deepEqual([waiting.ended, waiting.paused], [true, false]);
  waiting.destroy();
  first.destroy();
  connect().logIn();
  await surface.close();
});

limitTest("loginBytesMax", () => {
  const harness = new ProtocolHarness();
  harness.take();
  // The header alone is enough: nothing is kept for a packet that will be refused.
  assert.equal(errorNumberOf(harness.ask(Buffer.of(0x11, 0x27, 0, 1))[0]), 1153);
  assert.equal(harness.protocol.phase, "closed");
  assert.equal(harness.context.inbound.used, 0);
});

limitTest("packetBytesMax", () => {
  const harness = new ProtocolHarness({ limits: { packetBytesMax: 2000 } }).logIn();
  assert.equal(errorNumberOf(harness.ask(command(0x03, "x".repeat(1999)))[0]), 1064);
  assert.equal(errorNumberOf(harness.ask(Buffer.of(0xd1, 0x07, 0, 0))[0]), 1153);
  assert.equal(harness.protocol.phase, "closed");
  const frames = new ProtocolHarness({ limits: { packetBytesMax: 0xff_ff_ff + 10 } }).logIn();
  frames.protocol.receive(frame(0, Buffer.alloc(0xff_ff_ff, 0x20)));
  assert.equal(errorNumberOf(frames.ask(Buffer.of(11, 0, 0, 1))[0]), 1153);
});

limitTest("inboundBytesMax", () => {
  const harness = new ProtocolHarness({ limits: { inboundBytesMax: 10_000 } }).logIn();
  const other = new ProtocolHarness({ context: harness.context }).logIn();
  assert.deepEqual(harness.ask(frame(0, Buffer.alloc(4000)).subarray(0, 3000)), []);
  const used = harness.context.inbound.used;
  assert.ok(used >= 3000 && used <= 10_000);
  assert.equal(errorNumberOf(other.ask(frame(0, Buffer.alloc(4000)).subarray(0, 3000))[0]), 1041);
  assert.equal(other.protocol.phase, "closed");
  harness.protocol.disconnected();
  assert.equal(harness.context.inbound.used, 0);
});

limitTest("pipelineBytesMax", () => {
  const harness = new ProtocolHarness({ limits: { pipelineBytesMax: 1024 } }).logIn();
  harness.protocol.receive(command(0x03, "select later"));
  harness.protocol.receive(Buffer.alloc(1000));
  assert.equal(harness.protocol.phase, "command");
  harness.protocol.receive(Buffer.alloc(1000));
  assert.equal(harness.protocol.phase, "closed");
  assert.equal(harness.context.inbound.used, 0);
});

limitTest("statementsMax", () => {
  const harness = new ProtocolHarness({ limits: { statementsMax: 2 } }).logIn();
  const prepare = () => errorNumberOf(harness.ask(command(0x16, "update"))[0]);
  assert.deepEqual([prepare(), prepare(), prepare()], [undefined, undefined, 1461]);
  harness.ask(command(0x19, Buffer.of(1, 0, 0, 0)));
  assert.deepEqual([prepare(), prepare()], [undefined, 1461]);
});

limitTest("statementsTotalMax", () => {
  const harness = new ProtocolHarness({ limits: { statementsTotalMax: 1 } }).logIn();
  const other = new ProtocolHarness({ context: harness.context }).logIn();
  assert.equal(errorNumberOf(harness.ask(command(0x16, "nonsense"))[0]), 1064);
  assert.equal(errorNumberOf(harness.ask(command(0x16, "update"))[0]), undefined);
  assert.equal(errorNumberOf(other.ask(command(0x16, "update"))[0]), 1461);
  harness.protocol.disconnected();
  assert.equal(errorNumberOf(other.ask(command(0x16, "update"))[0]), undefined);
});

for (const [name, other] of [["statementBytesMax", false], ["statementBytesTotalMax", true]] as const) {
  limitTest(name, () => {
    const harness = new ProtocolHarness({ limits: { [name]: 5000 } }).logIn();
    const neighbour = new ProtocolHarness({ context: harness.context }).logIn();
    const text = `update${" ".repeat(494)}`;
    for (const { executor } of [harness, neighbour]) executor.scripts.set(text, { run: () => {} });
    const prepare = (at: ProtocolHarness) => errorNumberOf(at.ask(command(0x16, text))[0]);
    assert.deepEqual([prepare(harness), prepare(harness), prepare(harness)], [undefined, undefined, 1461]);
    assert.equal(prepare(neighbour), other ? 1461 : undefined);
    neighbour.protocol.disconnected();
    harness.ask(command(0x19, Buffer.of(1, 0, 0, 0)));
    assert.equal(prepare(harness), undefined);
    harness.protocol.disconnected();
    assert.equal(harness.context.statementBytes.used, 0);
  });
}

limitTest("turnUs", async () => {
  const { surface, executor, clock, connect } = await openManualSurface({ turnUs: 2000 });
  executor.scripts.set("slow", {
    run(sink) {
      clock.ms += 1;
      sink.done({ affectedRows: 1, matchedRows: 1, info: "" });
    },
  });
  const slow = { run: executor.scripts.get("slow")!.run };
  executor.scripts.set("other", slow);
  const [greedy, modest] = [connect().logIn(), connect().logIn()];
  for (const bytes of [
    Buffer.concat(Array.from({ length: 10 }, () => command(0x03, "slow"))),
    command(0x03, Array.from({ length: 10 }, () => "slow").join(";")),
  ]) {
    const answered = greedy.ask(bytes).length;
    assert.ok(answered >= 2 && answered <= 4, `${answered} in one turn`);
    // What comes meanwhile stays behind, and reading pauses.
    assert.deepEqual(greedy.ask(command(0x0e)), []);
    assert.equal(greedy.paused, true);
    assert.equal(modest.ask(command(0x03, "other")).length, 1);
    let total = answered;
    for (let turns = 0; turns < 10 && total < 11; turns++) {
      clock.advance(20);
      await turn();
      total += greedy.take().length;
    }
    assert.equal(total, 11);
    assert.equal(greedy.paused, false);
  }
  await surface.close();
});

limitTest("longDataBytesMax", () => {
  const harness = new ProtocolHarness({ limits: { longDataBytesMax: 1000 } }).logIn();
  harness.ask(command(0x16, "set ?"));
  const piece = (parameter: number, text: string) =>
    harness.ask(command(0x18, Buffer.of(1, 0, 0, 0, parameter, 0), text));
  const bound = Buffer.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0xfc, 0);
  const execute = () => errorNumberOf(harness.ask(command(0x17, bound))[0]);
  assert.deepEqual(piece(0, "abc"), []);
  piece(0, "def");
  assert.equal(execute(), undefined);
  assert.deepEqual(harness.executor.calls.at(-1)?.parameters, [Uint8Array.from(Buffer.from("abcdef"))]);
  assert.equal(harness.context.inbound.used, 0);
  piece(0, "x".repeat(700));
  assert.deepEqual(piece(0, "x".repeat(700)), []);
  assert.equal(execute(), 1153);
  for (let i = 0; i < 100; i++) piece(0, "");
  assert.equal(execute(), 1153, "empty pieces count as well");
  piece(1, "for a parameter that is not there");
  assert.equal(execute(), 1210);
  piece(0, "reset");
  harness.ask(command(0x1a, Buffer.of(1, 0, 0, 0)));
  assert.equal(harness.context.inbound.used, 0);
  assert.equal(errorNumberOf(harness.ask(executeCommand(1, [5n]))[0]), undefined);
  assert.deepEqual(harness.executor.calls.at(-1)?.parameters, [5]);
});

limitTest("resultBufferBytesMax", () => {
  const harness = new ProtocolHarness({ limits: { resultBufferBytesMax: 300_000 } }).logIn();
  const shape = shapeOf(objectsTable, [1, 2]);
  const value = rowToKv.encodeValue(objectsTable, [1n, 2n, "v".repeat(150)]);
  harness.executor.scripts.set("many", {
    run(sink) {
      sink.rows(shape);
      for (let i = 0; i < 10_000; i++) {
        harness.unsent = harness.writes.reduce((sum, bytes) => sum + bytes.length, 0);
        sink.storedRow(Buffer.alloc(12), value);
      }
      sink.end();
    },
  });
  const packets = harness.query("many");
  assert.equal(errorNumberOf(packets.at(-1)), 3170);
  assert.ok(packets.length < 4000, "the rows stop where the limit is met");
  harness.unsent = 0;
  assert.equal(harness.ask(command(0x0e)).length, 1);
});

limitTest("resultBufferBytesTotalMax", async () => {
  const { surface, executor, connect } = await openManualSurface({ resultBufferBytesTotalMax: 1_000_000 });
  const shape = shapeOf(objectsTable, [1, 2]);
  const value = rowToKv.encodeValue(objectsTable, [1n, 2n, "v".repeat(150)]);
  executor.scripts.set("many", {
    run(sink) {
      sink.rows(shape);
      for (let i = 0; i < 4000; i++) sink.storedRow(Buffer.alloc(12), value);
      sink.end();
    },
  });
  const [first, second, third] = [connect().logIn(), connect().logIn(), connect().logIn()];
  for (const connection of [first, second]) connection.taking = false;
  assert.equal(first.ask(command(0x03, "many")).at(-1)?.payload[0], 0xfe);
  assert.ok((metricOf(surface, "mysql_unsent_result_bytes") ?? 0) > 500_000);
  assert.equal(errorNumberOf(second.ask(command(0x03, "many")).at(-1)), 3170);
  assert.equal(third.ask(command(0x03, "many")).at(-1)?.payload[0], 0xfe, "who reads is not concerned");
  first.drain();
  second.drain();
  assert.equal(metricOf(surface, "mysql_unsent_result_bytes"), 0);
  assert.equal(second.ask(command(0x03, "many")).at(-1)?.payload[0], 0xfe);
  first.taking = false;
  first.ask(command(0x03, "many"));
  first.destroy();
  assert.equal(metricOf(surface, "mysql_unsent_result_bytes"), 0);
  await surface.close();
});

limitTest("loginTimeoutMs", async () => {
  const { surface, clock, connect } = await openManualSurface({ loginTimeoutMs: 1000 });
  const [late, early] = [connect(), connect().logIn()];
  clock.advance(900);
  late.ask(Buffer.of(1, 2));
  assert.equal(late.destroyed, false);
  clock.advance(1000);
  assert.deepEqual([late.destroyed, early.destroyed], [true, false]);
  await surface.close();
});

limitTest("idleTimeoutMs", async () => {
  const { surface, clock, connect } = await openManualSurface({ idleTimeoutMs: 1000 });
  const [idle, lively] = [connect().logIn(), connect().logIn()];
  for (let i = 0; i < 3; i++) {
    clock.advance(600);
    lively.ask(command(0x0e));
  }
  assert.deepEqual([idle.destroyed, lively.destroyed], [true, false]);
  await surface.close();
});

limitTest("slowReaderTimeoutMs", async () => {
  const { surface, clock, connect } = await openManualSurface({ slowReaderTimeoutMs: 1000 });
  const connection = connect().logIn();
  connection.taking = false;
  connection.ask(command(0x03, "update"));
  assert.equal(connection.paused, true);
  clock.advance(900);
  connection.drain();
  assert.equal(connection.paused, false);
  connection.taking = false;
  connection.ask(command(0x03, "update"));
  clock.advance(900);
  assert.equal(connection.destroyed, false);
  clock.advance(600);
  assert.equal(connection.destroyed, true);
  assert.equal(metricOf(surface, "mysql_slow_readers_closed_total"), 1);
  await surface.close();
});

limitTest("lingerTimeoutMs", async () => {
  const { surface, clock, connect } = await openManualSurface({
    lingerTimeoutMs: 1000, connectionsMax: 1, connectionsWaitingMax: 0,
  });
  const connection = connect().logIn();
  const refused = connect();
  connection.ask(command(0x01));
  assert.deepEqual([connection.ended, connection.destroyed], [true, false]);
  clock.advance(2000);
  assert.deepEqual([connection.destroyed, refused.destroyed], [true, true]);
  await surface.close();
});

test("the limits that were met are those of the table", () => {
  assert.deepEqual([...met].sort(), Object.keys(mysqlLimitTable).sort());
});

test("limits out of range and unknown ones are refused by name", () => {
  assert.equal(resolveLimits().connectionsMax, mysqlLimitTable.connectionsMax.default);
  assert.throws(() => resolveLimits({ connectionsMax: 0 }), { code: "INVALID_ARGUMENT", message: /connectionsMax is 0/ });
  assert.throws(() => resolveLimits({ idleTimeoutMs: 1.5 }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => resolveLimits({ sockets: 1 } as object), { code: "INVALID_ARGUMENT", message: /named sockets/ });
});
