/** The surface on a network that the test moves: back-pressure, drain, metrics. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { renderPrometheus } from "../../../../../kit/prometheus.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { metricOf } from "../../manual-network.fixture.ts";
import { openManualSurface } from "./manual-network.fixture.ts";
import { command } from "./raw-client.fixture.ts";
import { objectsTable, shapeOf } from "./scripted-executor.fixture.ts";

test("a client that pipelines large results is served as fast as it reads", async () => {
  const { surface, executor, connect } = await openManualSurface();
  const shape = shapeOf(objectsTable, [1, 2]);
  const value = rowToKv.encodeValue(objectsTable, [1n, 2n, "v".repeat(150)]);
  executor.scripts.set("many", {
    run(sink) {
      sink.rows(shape);
      for (let i = 0; i < 600; i++) sink.storedRow(Buffer.alloc(12), value);
      sink.end();
    },
  });
  const connection = connect().logIn();
  connection.taking = false;
  connection.ask(Buffer.concat(Array.from({ length: 20 }, () => command(0x03, "many"))));
  assert.equal(executor.calls.length, 1);
  assert.equal(connection.paused, true);
  for (let served = 2; served <= 20; served++) {
    connection.drain(false);
    assert.equal(executor.calls.length, served, "one more result for each that was read");
    assert.equal(connection.paused, true);
  }
  connection.drain();
  assert.equal(connection.paused, false);
  await surface.close();
});

test("reading pauses when bytes come behind a statement that waits, and resumes when it is answered", async () => {
  const { surface, connect } = await openManualSurface();
  const connection = connect().logIn();
  connection.ask(command(0x03, "select later"));
  assert.equal(connection.paused, false, "nothing has come behind it");
  connection.ask(command(0x0e));
  assert.equal(connection.paused, true);
  while (connection.paused) await turn();
  assert.deepEqual(connection.take().slice(-2).map(({ payload }) => payload[0]), [0xfe, 0]);
  await surface.close();
});

test("a slow reader of many results is waited for between them; a kill ends the text there", async () => {
  const { surface, executor, connect } = await openManualSurface();
  const shape = shapeOf(objectsTable, [1, 2]);
  const value = rowToKv.encodeValue(objectsTable, [1n, 2n, "v".repeat(150)]);
  executor.scripts.set("many", {
    run(sink) {
      sink.rows(shape);
      for (let i = 0; i < 600; i++) sink.storedRow(Buffer.alloc(12), value);
      sink.end();
    },
  });
  const slow = connect().logIn();
  const other = connect().logIn();
  slow.taking = false;
  slow.ask(command(0x03, Array.from({ length: 5 }, () => "many").join(";")));
  assert.equal(executor.calls.length, 1);
  slow.drain(false);
  await turn();
  assert.equal(executor.calls.length, 2);
  const kill = command(0x0c, Buffer.of(1, 0, 0, 0));
  assert.deepEqual(slow.take().at(-1)?.payload[0], 0xfe);
  other.ask(Buffer.concat([command(0x03, "update"), kill]));
  assert.deepEqual([slow.destroyed, other.destroyed], [true, false]);
  await turn();
  assert.equal(executor.calls.length, 3, "nothing of the text ran after it");
  other.destroy();
  assert.equal(metricOf(surface, "mysql_unsent_result_bytes"), 0);
  await surface.close();
});

test("a drain stops accepting, lets running statements end, then closes", async () => {
  const { surface, connect, listening } = await openManualSurface();
  const idle = connect().logIn();
  const busy = connect().logIn();
  busy.ask(command(0x03, "select later"));
  const drained = surface.drain(10_000);
  while (!busy.ended) await turn();
  assert.equal(listening(), false);
  assert.equal(idle.ended, true);
  assert.equal(busy.take().at(-1)?.payload[0], 0xfe);
  idle.destroy();
  busy.destroy();
  await drained;
  assert.equal(metricOf(surface, "mysql_connections"), 0);
  await assert.rejects(surface.listen({ host: "127.0.0.1", port: 1 }), { code: "CLOSED" });
});

test("a drain that takes too long closes what is left", async () => {
  const { surface, executor, connect, clock } = await openManualSurface();
  executor.scripts.set("never", { run: () => new Promise<void>(() => {}) });
  const busy = connect().logIn();
  busy.ask(command(0x03, "never"));
  const drained = surface.drain(1000);
  await turn();
  clock.advance(1500);
  await drained;
  assert.equal(busy.destroyed, true);
});

test("metrics count connections, commands, bytes, errors, failures and latency", async () => {
  const { surface, connect } = await openManualSurface();
  const connection = connect().logIn();
  connection.ask(command(0x03, "update"));
  connection.ask(command(0x03, "fail"));
  connection.ask(command(0x0e));
  connection.ask(command(0x63));
  const text = renderPrometheus(surface.metrics());
  for (const line of [
    'mysql_commands_total{command="query"} 2', 'mysql_commands_total{command="ping"} 1', "mysql_connections 1",
    'mysql_commands_total{command="unknown"} 1', 'mysql_errors_total{number="1062"} 1', "mysql_command_seconds_count 4",
    "mysql_authentication_failures_total 0",
  ]) {
    assert.ok(text.split("\n").includes(line), line);
  }
  assert.ok((metricOf(surface, "mysql_sent_bytes_total") ?? 0) > 100);
  assert.ok((metricOf(surface, "mysql_received_bytes_total") ?? 0) > 100);
  await surface.close();
});

test("a burst of connections waits to be accepted, instead of being dropped by the system", async () => {
  for (const [limits, least] of [[{}, 640], [{ connectionsMax: 9000, connectionsWaitingMax: 1000 }, 10_000]] as const) {
    const { surface, backlog } = await openManualSurface(limits);
    assert.ok(backlog() >= least, `${backlog()}`);
    await surface.close();
  }
});
