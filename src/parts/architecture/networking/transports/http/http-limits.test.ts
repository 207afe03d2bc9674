/** Every limit of the table, met. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { httpLimitTable, resolveHttpLimits } from "./http-limits.ts";
import { metricOf } from "../../manual-network.fixture.ts";
import { answersOf, type HttpManualConnection, openManualSurface } from "./manual-connection.fixture.ts";

const head = (line: string, ...fields: string[]) => `${[line, "Host: a", ...fields].join("\r\n")}\r\n\r\n`;
const get = head("GET / HTTP/1.1");

function refusedWith(connection: HttpManualConnection, bytes: string): number {
  const [answer, ...more] = answersOf(connection.ask(bytes));
  assert.deepEqual(more, []);
  assert.ok(connection.ended);
  return answer.status;
}

const met = new Set<string>();

/** Notes that a limit has a test. */
function meets(...names: (keyof typeof httpLimitTable)[]): void {
  for (const name of names) met.add(name);
}

test("a burst of connections waits to be accepted, instead of being dropped by the system", async () => {
  for (const [limits, least] of [[{}, 2048], [{ connectionsMax: 9000, queuedConnectionsMax: 1000 }, 10_000]] as const) {
    const { surface, backlog } = await openManualSurface(limits);
    assert.ok(backlog() >= least, `${backlog()}`);
    await surface.close();
  }
});

test("connections wait in a queue, and are refused where it is full or takes too long", async () => {
  meets("connectionsMax", "queuedConnectionsMax", "queueTimeoutMs", "lingerTimeoutMs");
  const limits = { connectionsMax: 2, queuedConnectionsMax: 2, queueTimeoutMs: 1000, lingerTimeoutMs: 500 };
  const { surface, connect, clock } = await openManualSurface(limits);
  const [first, second, third, fourth, fifth] = Array.from({ length: 5 }, () => connect());
  assert.deepEqual([first, second, third, fourth].map((one) => one.paused), [false, false, true, true]);
  assert.equal(answersOf(fifth.take())[0].status, 503);
  assert.ok(fifth.ended);
  assert.equal(metricOf(surface, "http_connections_refused_total"), 1);
  first.destroy();
  assert.ok(!third.paused, "the oldest that waits takes the place");
  assert.equal(answersOf(third.ask(get))[0].status, 200);
  assert.ok(fourth.paused);
  clock.advance(1500);
  assert.equal(answersOf(fourth.take())[0].status, 503);
  clock.advance(1000);
  assert.ok(fifth.destroyed && fourth.destroyed, "who does not hang up is reset");
  assert.equal(metricOf(surface, "http_queued_connections"), 0);
  assert.equal(second.ended, false);
});

test("lines, heads, fields and chunk lines have a longest", async () => {
  meets("lineBytesMax", "headBytesMax", "fieldsMax", "chunkLineBytesMax");
  const limits = { lineBytesMax: 200, headBytesMax: 400, fieldsMax: 5, chunkLineBytesMax: 20 };
  const { connect } = await openManualSurface(limits);
  assert.equal(refusedWith(connect(), `GET /${"a".repeat(200)}`), 414);
  assert.equal(refusedWith(connect(), `GET / HTTP/1.1\r\nX: ${"a".repeat(200)}`), 431);
  const fields = (count: number, length: number) => Array.from({ length: count }, () => `X: ${"a".repeat(length)}`);
  assert.equal(refusedWith(connect(), head("GET / HTTP/1.1", ...fields(4, 120))), 431);
  assert.equal(refusedWith(connect(), head("GET / HTTP/1.1", ...fields(5, 1))), 431);
  assert.equal(answersOf(connect().ask(head("GET / HTTP/1.1", ...fields(4, 1))))[0].status, 200);
  const chunked = head("POST /echo HTTP/1.1", "Transfer-Encoding: chunked");
  assert.equal(refusedWith(connect(), `${chunked}5;${"x".repeat(30)}`), 400);
  assert.equal(refusedWith(connect(), `${chunked}0\r\n${fields(6, 1).join("\r\n")}\r\n\r\n`), 431);
});

test("unfinished requests share their memory", async () => {
  meets("inboundBytesMax");
  const { surface, connect } = await openManualSurface({ inboundBytesMax: 5000 });
  const [one, other] = [connect(), connect()];
  const slow = `${head("POST /echo HTTP/1.1", "Content-Length: 4000")}${"x".repeat(1500)}`;
  assert.equal(one.ask(slow), "");
  assert.ok((metricOf(surface, "http_inbound_buffer_bytes") ?? 0) >= 1500);
  assert.equal(refusedWith(other, slow), 503);
  assert.equal(answersOf(one.ask(""))?.length, 0);
  one.destroy();
  assert.equal(metricOf(surface, "http_inbound_buffer_bytes"), 0, "and give it back");
});

test("what comes behind a request that waits is bounded although reading is paused", async () => {
  meets("pipelineBytesMax");
  const { connect } = await openManualSurface({ pipelineBytesMax: 2000 });
  const connection = connect();
  connection.send(head("GET /later HTTP/1.1") + get);
  assert.ok(connection.paused);
  connection.send("x".repeat(1900));
  assert.ok(!connection.ended);
  assert.equal(refusedWith(connection, "x".repeat(200)), 503);
});

test("a connection that pipelines lets others have their turn", async () => {
  meets("turnRequestsMax");
  const { connect, clock, application } = await openManualSurface({ turnRequestsMax: 3 });
  const connection = connect();
  assert.equal(answersOf(connection.ask(get.repeat(8))).length, 3);
  assert.ok(connection.paused);
  assert.equal(answersOf(connect().ask(get)).length, 1);
  clock.advance(0);
  assert.equal(answersOf(connection.take()).length, 5);
  assert.equal(application.requests.length, 9);
  assert.ok(!connection.paused);
});

test("a slow loris is answered with 408, in the head and in the body", async () => {
  meets("headTimeoutMs", "bodyTimeoutMs", "bodyBytesPerSecondMin");
  const limits = { headTimeoutMs: 1000, bodyTimeoutMs: 1000, bodyBytesPerSecondMin: 100 };
  const { surface, connect, clock } = await openManualSurface(limits);
  const silent = connect();
  const dripping = connect();
  for (const letter of "GET / HTT") {
    dripping.send(letter);
    clock.advance(150);
  }
  assert.equal(answersOf(dripping.take())[0].status, 408, "each byte is no new beginning");
  assert.equal(answersOf(silent.take())[0].status, 408);
  const slow = connect();
  slow.send(head("POST /echo HTTP/1.1", "Content-Length: 4000"));
  for (let turn = 0; turn < 20; turn++) {
    slow.send("x".repeat(50));
    clock.advance(200);
  }
  assert.ok(!slow.ended, "250 bytes a second are above the least rate");
  clock.advance(20_000);
  assert.equal(answersOf(slow.take())[0].status, 408);
  assert.equal(metricOf(surface, "http_timeouts_total"), 3);
});

test("an idle connection is closed without a word, one that waits for its answer is not", async () => {
  meets("idleTimeoutMs");
  const { connect, clock } = await openManualSurface({ idleTimeoutMs: 5000, headTimeoutMs: 1000 });
  const [idle, waiting] = [connect(), connect()];
  idle.ask(get);
  waiting.ask(head("GET /later HTTP/1.1"));
  clock.advance(4000);
  assert.ok(!idle.ended);
  clock.advance(2500);
  assert.ok(idle.ended);
  assert.equal(idle.take(), "");
  assert.ok(!waiting.ended);
});

test("a slow reader pauses, then goes", async () => {
  meets("slowReaderTimeoutMs");
  const { surface, connect, clock, application } = await openManualSurface({ slowReaderTimeoutMs: 3000 });
  const connection = connect();
  connection.taking = false;
  connection.send(head("GET /large HTTP/1.1") + get);
  assert.ok(connection.paused);
  assert.equal(application.requests.length, 1, "it is not served on while it does not read");
  connection.drain();
  assert.equal(application.requests.length, 2);
  connection.taking = false;
  connection.send(head("GET /large HTTP/1.1"));
  clock.advance(5000);
  assert.ok(connection.destroyed);
  assert.equal(metricOf(surface, "http_slow_readers_closed_total"), 1);
});

test("unread answers of all slow readers have a limit", async () => {
  meets("outboundBytesMax");
  const { surface, connect, clock } = await openManualSurface({ outboundBytesMax: 100 << 10 });
  const [one, other] = [connect(), connect()];
  for (const connection of [one, other]) {
    connection.taking = false;
    connection.send(head("GET /large HTTP/1.1"));
  }
  clock.advance(1);
  assert.deepEqual([one.destroyed, other.destroyed], [false, true]);
  one.destroy();
  assert.equal(metricOf(surface, "http_outbound_buffer_bytes"), 0);
});

test("a drain answers what is due, and closes what is idle", async () => {
  const { surface, connect, application, clock } = await openManualSurface();
  const [idle, busy] = [connect(), connect()];
  idle.ask(get);
  busy.ask(head("GET /later HTTP/1.1"));
  const drained = surface.drain(1000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(idle.ended && !busy.ended);
  application.later[0]("done");
  assert.match(busy.take(), /Connection: close\r\n/);
  assert.ok(busy.ended);
  clock.advance(1000);
  await drained;
  assert.ok(idle.destroyed && busy.destroyed);
});

test("limits out of range and unknown ones are refused; every limit is met above", () => {
  assert.throws(() => resolveHttpLimits({ connectionsMax: 0 }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => resolveHttpLimits({ nothing: 1 } as never), { code: "INVALID_ARGUMENT" });
  assert.deepEqual([...met].sort(), Object.keys(httpLimitTable).sort());
});
