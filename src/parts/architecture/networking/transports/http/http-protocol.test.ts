/** Requests as they come: whole, in pieces, pipelined, with bodies of every kind; and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { httpDate } from "./http-date.ts";
import { answersOf, openManualSurface } from "./manual-connection.fixture.ts";

const head = (line: string, ...fields: string[]) => `${[line, "Host: a", ...fields].join("\r\n")}\r\n\r\n`;
const statuses = (text: string) => answersOf(text).map(({ status }) => status);

test("requests and answers of every kind", async () => {
  const { connect, application } = await openManualSurface();
  const connection = connect();
  assert.deepEqual(answersOf(connection.ask(head("GET /x?a=b HTTP/1.1"))).map(({ status, body }) => [status, body]), [[200, "ok"]]);
  assert.deepEqual(application.requests, ["GET /x?a=b"]);
  const echo = (body: string) => head("POST /echo HTTP/1.1", `Content-Length: ${body.length}`) + body;
  assert.equal(answersOf(connection.ask(echo("hello")))[0].body, "hello");
  const chunked = head("POST /echo HTTP/1.1", "Transfer-Encoding: chunked");
  const pieces = "5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
  assert.equal(answersOf(connection.ask(chunked + pieces))[0].body, "hello world");
  const whole = connection.ask(head("HEAD /echo HTTP/1.1"));
  assert.match(whole, /Content-Length: 0\r\n\r\n$/);
  const large = connection.ask(head("HEAD /large HTTP/1.1"));
  assert.match(large, /Content-Length: 65536\r\n\r\n$/);
  assert.equal(answersOf(connection.ask(head("GET /throw HTTP/1.1")))[0].status, 500);
  assert.ok(connection.ended, "a request that failed inside ends its connection");
});

test("absolute targets, one empty line before a request, HTTP/1.0 and Connection", async () => {
  const { connect, application } = await openManualSurface();
  const connection = connect();
  assert.deepEqual(statuses(connection.ask(`\r\n${head("GET http://a.b:80/p?q HTTP/1.1")}`)), [200]);
  assert.deepEqual(application.requests, ["GET /p?q"]);
  assert.match(connection.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), /\r\nConnection: keep-alive\r\n/);
  assert.match(connection.ask("GET / HTTP/1.0\r\n\r\n"), /\r\nConnection: close\r\n/);
  assert.ok(connection.ended);
  const closing = connect();
  assert.match(closing.ask(head("GET / HTTP/1.1", "Connection: x, Close")), /\r\nConnection: close\r\n/);
  assert.ok(closing.ended);
  assert.equal(closing.ask(head("GET / HTTP/1.1")), "", "nothing is answered behind the end");
});

test("Expect: a go-ahead where the body is wanted, none where it is refused", async () => {
  const { connect } = await openManualSurface();
  const connection = connect();
  const expecting = head("POST /echo HTTP/1.1", "Content-Length: 2", "Expect: 100-continue");
  assert.equal(connection.ask(expecting), "HTTP/1.1 100 Continue\r\n\r\n");
  assert.equal(answersOf(connection.ask("hi"))[0].body, "hi");
  const large = head("POST /echo HTTP/1.1", "Content-Length: 5000", "Expect: 100-continue");
  assert.deepEqual(statuses(connection.ask(large)), [413]);
  const refused = connect();
  assert.deepEqual(statuses(refused.ask(head("POST /refused HTTP/1.1", "Content-Length: 2"))), [401]);
  assert.ok(refused.ended, "whether the body still comes is not known");
  const kept = connect();
  assert.deepEqual(statuses(kept.ask(head("GET /refused HTTP/1.1") + head("GET / HTTP/1.1"))), [401, 200]);
  assert.deepEqual(statuses(connect().ask(head("POST / HTTP/1.1", "Expect: tea"))), [417]);
});

test("what servers read differently is refused, and nothing behind it is answered", async () => {
  const { connect, application } = await openManualSurface();
  const post = (...fields: string[]) => head("POST /echo HTTP/1.1", ...fields);
  const chunks = (text: string) => `${post("Transfer-Encoding: chunked")}${text}`;
  const refused: readonly (readonly [string, number])[] = [
    [post("Content-Length: 3", "Transfer-Encoding: chunked"), 400],
    [post("Content-Length: 3", "Content-Length: 3"), 400],
    [post("Content-Length: 3, 3"), 400],
    [post("Content-Length: +3"), 400],
    [post("Content-Length: 0x3"), 400],
    [post("Content-Length: -1"), 400],
    [post("Content-Length: "), 400],
    [post("Content-Length: 9999999999999999"), 413],
    [post("Content-Length : 3"), 400],
    [post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400],
    [post("Transfer-Encoding: chunked, chunked"), 501],
    [post("Transfer-Encoding: xchunked"), 501],
    [post("Transfer-Encoding: identity"), 501],
    [post("Transfer-Encoding:\x0bchunked"), 400],
    ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
    [post(" folded: x"), 400],
    [post("X: a", "\tb"), 400],
    [post("X: a\x00b"), 400],
    [post("X: a\rb"), 400],
    [post("X y: a"), 400],
    [post(": a"), 400],
    ["GET / HTTP/1.1\nHost: a\n\n", 400],
    ["GET / HTTP/1.1\r\nHost: a\n\r\n", 400],
    ["GET / HTTP/1.1\r\n\r\n", 400],
    [head("GET / HTTP/1.1", "Host: b"), 400],
    ["GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
    ["GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400],
    ["GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    ["GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
    ["GET / HTTP/11\r\nHost: a\r\n\r\n", 400],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400],
    ["\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400],
    [chunks("-1\r\n"), 400],
    [chunks("0x5\r\n"), 400],
    [chunks(" 5\r\n"), 400],
    [chunks("5 \r\n"), 400],
    [chunks("\r\n"), 400],
    [chunks("fffffffff\r\n"), 400],
    [chunks("5\nhello"), 400],
    [chunks("5\r\nhelloX"), 400],
    [chunks("5\r\nhello\r\r"), 400],
    [chunks("5;\x00\r\n"), 400],
    [chunks("0\r\nContent Length: 5\r\n\r\n"), 400],
    [chunks("1001\r\n" + "x".repeat(4097)), 413],
  ];
  for (const [bytes, status] of refused) {
    const connection = connect();
    const text = connection.ask(`${bytes}${head("GET /smuggled HTTP/1.1")}`);
    const found = answersOf(text).filter((answer) => answer.status !== 100);
    assert.deepEqual(found.map((answer) => answer.status), [status], JSON.stringify(bytes));
    assert.match(found[0].head, /\r\nConnection: close\r\n/);
    assert.ok(connection.ended, JSON.stringify(bytes));
  }
  assert.ok(!application.requests.includes("GET /smuggled"));
});

test("pipelined requests are answered in order, each when the one before has been", async () => {
  const { connect, application } = await openManualSurface();
  const connection = connect();
  const requests = head("GET /later HTTP/1.1") + head("GET /a HTTP/1.1") + head("GET /b HTTP/1.1");
  assert.equal(connection.ask(requests), "");
  assert.ok(connection.paused, "what comes behind a request that waits is not read");
  assert.deepEqual(application.requests, ["GET /later"]);
  application.later[0]("first");
  assert.deepEqual(answersOf(connection.take()).map(({ body }) => body), ["first", "ok", "ok"]);
  assert.ok(!connection.paused);
});

test("an application that has answered is not asked again when its peer leaves", async () => {
  const { connect, application } = await openManualSurface();
  const connection = connect();
  connection.ask(head("GET /later HTTP/1.1"));
  connection.destroy();
  assert.equal(application.gone, 1);
  application.later[0]("late");
  assert.equal(connection.take(), "");
  const done = connect();
  done.ask(head("GET / HTTP/1.1"));
  done.destroy();
  assert.equal(application.gone, 1);
});

test("streams: chunks out with a pause for slow readers, pieces in with a pause for slow stores", async () => {
  const { connect, application } = await openManualSurface();
  const connection = connect();
  assert.match(connection.ask(head("GET /stream HTTP/1.1")), /\r\nTransfer-Encoding: chunked\r\n\r\n$/);
  const [stream] = application.streams;
  assert.equal(stream.write(Buffer.from("hello")), true);
  assert.equal(connection.take(), "5\r\nhello\r\n");
  connection.taking = false;
  assert.equal(stream.write(Buffer.alloc(20)), false);
  connection.drain();
  assert.equal(application.readyCalls, 1);
  connection.take();
  stream.end();
  assert.equal(connection.take(), "0\r\n\r\n");
  application.taking = false;
  connection.ask(`${head("POST /sink HTTP/1.1", "Content-Length: 6")}abc`);
  assert.ok(connection.paused);
  connection.send("def");
  assert.equal(application.sunkBytes, 3);
  application.taking = true;
  application.sinks[0].resumeBody();
  assert.equal(answersOf(connection.take())[0].body, "6");
});

test("an answer that is broken off is not taken for whole", async () => {
  const { connect, application } = await openManualSurface();
  const connection = connect();
  connection.ask(head("GET /stream HTTP/1.1"));
  application.streams[0].abort();
  assert.equal(connection.take(), "");
  assert.ok(connection.ended);
});

test("bytes may come in any pieces", async () => {
  const { connect } = await openManualSurface({ turnRequestsMax: 10_000 });
  const conversation = [
    head("GET /a HTTP/1.1"),
    `${head("POST /echo HTTP/1.1", "Content-Length: 11")}hello world`,
    `${head("POST /echo HTTP/1.1", "Transfer-Encoding: chunked")}3\r\nabc\r\n4\r\ndefg\r\n0\r\nX: y\r\n\r\n`,
    `\r\n${head("GET /b HTTP/1.1")}`,
  ].join("");
  const wanted = connect().ask(conversation);
  assert.equal(answersOf(wanted).length, 4);
  fc.assert(fc.property(fc.array(fc.nat(conversation.length), { maxLength: 12 }), (cuts) => {
    const connection = connect();
    const points = [0, ...cuts.sort((one, other) => one - other), conversation.length];
    for (let at = 1; at < points.length; at++) connection.send(conversation.slice(points[at - 1], points[at]));
    assert.equal(connection.take(), wanted);
    connection.destroy();
  }));
});

test("dates are those of the platform", () => {
  fc.assert(fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (timeMs) => {
    const year = new Date(timeMs).getUTCFullYear();
    if (year >= 1000) assert.equal(httpDate(timeMs), new Date(timeMs).toUTCString());
  }));
  assert.equal(httpDate(951_782_400_000), "Tue, 29 Feb 2000 00:00:00 GMT");
});
