/**
 * The protocol's state machine by its bytes: golden packets, order, fragments, login, and what may
 * not happen.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { SqlError } from "../../../../query_processing/executor.ts";
import { capability } from "./capability.ts";
import { credentials, errorNumberOf, ProtocolHarness } from "./protocol-harness.fixture.ts";
import {
  command, executeCommand, frame, handshakeResponse, nativeScramble, nonceOf, sha2Scramble, wantedCapabilities,
} from "./raw-client.fixture.ts";

const hexOf = (bytes: readonly { sequence: number; payload: Buffer }[]) =>
  bytes.map(({ sequence, payload }) => `${sequence} ${payload.toString("hex")}`);

test("golden: greeting", () => {
  const [greeting] = new ProtocolHarness().take();
  assert.equal(greeting.sequence, 0);
  const { payload } = greeting;
  assert.equal(payload.subarray(0, 17).toString("latin1"), "\u000a8.4.0-lathe\0\u0001\0\0\0");
  assert.equal(payload.subarray(25, 44).toString("hex"), `00${"0fb7"}${"2d"}${"0200"}${"3f01"}${"15"}${"00".repeat(10)}`);
  assert.equal(payload.subarray(56).toString("latin1"), "\0caching_sha2_password\0");
  assert.equal(nonceOf(greeting).length, 20);
});

test("golden: OK, EOF, errors and commands without a result", () => {
  const harness = new ProtocolHarness().logIn();
  const ask = (bytes: Buffer) => hexOf(harness.ask(bytes));
  assert.deepEqual(ask(command(0x0e)), ["1 00000002000000"]);
  assert.deepEqual(ask(command(0x02, "any")), ["1 00000002000000"]);
  assert.deepEqual(ask(command(0x1f)), ["1 00000002000000"]);
  assert.deepEqual(ask(command(0x03, "update")), [`1 00020002000000${"0f"}${Buffer.from("Rows matched: 2").toString("hex")}`]);
  assert.deepEqual(ask(command(0x1b, Buffer.of(1, 0))), ["1 fe000002000000"]);
  assert.deepEqual(
    ask(command(0x03, "fail")),
    [`1 ff2604${Buffer.from("#23000Duplicate entry '1' for key 'PRIMARY'").toString("hex")}`],
  );
  assert.deepEqual(ask(command(0x19, Buffer.of(1, 0, 0, 0))), []);
  assert.match(harness.ask(command(0x09))[0].payload.toString(), /^Uptime: \d+ {2}Threads: 0 {2}Questions: \d+/);
  for (const code of [0x00, 0x05, 0x0b, 0x12, 0xff]) {
    assert.equal(errorNumberOf(harness.ask(command(code, "x"))[0]), 1047);
  }
  const old = new ProtocolHarness().logIn(wantedCapabilities & ~capability.deprecateEof);
  assert.deepEqual(hexOf(old.ask(command(0x1b, Buffer.of(0, 0)))), ["1 fe00000200"]);
});

test("golden: a prepared statement and its rows", () => {
  const harness = new ProtocolHarness().logIn();
  const definition = (name: string, tail: string) =>
    `0364656600${"04726f7773".repeat(2)}${name.repeat(2)}0c${tail}0000`;
  const definitions = [
    definition("056279746573", "3f0064000000fd800000"),
    definition("026964", "3f001400000008810000"),
    definition("0573636f7265", "3f00160000000580001f"),
  ];
  assert.deepEqual(hexOf(harness.ask(command(0x16, "select mixed"))), [
    "1 000100000003000000000000", ...definitions.map((payload, index) => `${index + 2} ${payload}`),
  ]);
  assert.deepEqual(hexOf(harness.ask(executeCommand(1, []))), [
    "1 03",
    ...definitions.map((payload, index) => `${index + 2} ${payload}`),
    `5 0000${"0300ff0a"}${"fbffffffffffffff"}${"9a9999999999b93f"}`,
    "6 00140600000000000000",
    "7 fe000002000000",
  ]);
  assert.deepEqual(hexOf(harness.query("select mixed")).slice(4), [
    `5 0300ff0a${"022d35"}${"03302e31"}`, "6 fb0136fb", "7 fe000002000000",
  ]);
  const old = new ProtocolHarness().logIn(wantedCapabilities & ~capability.deprecateEof);
  assert.deepEqual(hexOf(old.query("select mixed")).slice(4), [
    "5 fe00000200", `6 0300ff0a${"022d35"}${"03302e31"}`, "7 fb0136fb", "8 fe00000200",
  ]);
});

test("several results carry one sequence and the flag for more", () => {
  const harness = new ProtocolHarness().logIn();
  const packets = harness.query("select mixed; update; select mixed");
  assert.deepEqual(packets.map(({ sequence }) => sequence), packets.map((_, index) => index + 1));
  const status = [packets[6], packets[7], packets.at(-1)].map((packet) => packet?.payload.readUInt16LE(3));
  assert.deepEqual(status, [10, 10, 2]);
  assert.equal(errorNumberOf(harness.query("update; fail; update").at(-1)), 1062);
  assert.equal(errorNumberOf(harness.query("update; nonsense; update").at(-1)), 1064);
});

test("any cut of the bytes gives the same answers, and whole chunks are answered in one write", () => {
  const script = Buffer.concat([
    command(0x16, "set ?, ?, ?"), executeCommand(1, [1n, -2n, 2n ** 62n]), command(0x03, "select all"), command(0x0e),
    command(0x03, "x".repeat(5000)), command(0x0e),
  ]);
  const expected = new ProtocolHarness().logIn();
  expected.protocol.receive(script);
  assert.equal(expected.writes.length, 1);
  const answers = hexOf(expected.take());
  assert.deepEqual(expected.executor.calls[0].parameters, [1, -2, 2n ** 62n]);
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 30 }), (sizes) => {
    const harness = new ProtocolHarness().logIn();
    for (let at = 0, i = 0; at < script.length; i++) {
      // The chunk's bytes are valid during the call only; overwriting them afterwards proves that
      // nothing is kept.
      const chunk = Uint8Array.from(script.subarray(at, at + sizes[i % sizes.length]));
      harness.protocol.receive(chunk);
      at += chunk.length;
      chunk.fill(0xee);
    }
    assert.deepEqual(hexOf(harness.take()), answers);
  }), { numRuns: 60 });
});

test("answers keep the order of the commands while one waits, and none is read ahead of it", async () => {
  const harness = new ProtocolHarness().logIn();
  harness.protocol.receive(Buffer.concat([command(0x03, "select later"), command(0x0e), command(0x03, "update")]));
  assert.equal(harness.protocol.busy, true);
  assert.deepEqual(harness.executor.calls.map(({ sql }) => sql), ["select later"]);
  harness.protocol.receive(command(0x03, "fail"));
  while (harness.settledCount === 0) await turn();
  const packets = harness.take();
  assert.equal(packets[0].payload[0], 6);
  assert.deepEqual(packets.slice(-4).map(({ payload }) => payload[0]), [0xfe, 0, 0, 0xff]);
  assert.deepEqual(harness.executor.calls.map(({ sql }) => sql), ["select later", "update", "fail"]);
  assert.equal(harness.context.slab.leased, false);
});

test("commands in frames of 16 MiB arrive whole", () => {
  const harness = new ProtocolHarness().logIn();
  const text = Buffer.alloc(0xff_ff_ff + 10, 0x20);
  text[0] = 0x03;
  text.write("update", text.length - 6);
  harness.executor.scripts.set("update", { run: (sink) => sink.done({ affectedRows: 7, matchedRows: 7, info: "" }) });
  const bytes = Buffer.concat([frame(0, text.subarray(0, 0xff_ff_ff)), frame(1, text.subarray(0xff_ff_ff))]);
  for (let at = 0; at < bytes.length; at += 1_000_003) harness.protocol.receive(bytes.subarray(at, at + 1_000_003));
  assert.deepEqual(hexOf(harness.take()), ["2 00070002000000"]);
  assert.equal(harness.context.inbound.used, 0, "the memory of the large packet is given back");
  const exact = Buffer.concat([frame(0, text.subarray(0, 0xff_ff_ff)), frame(1, Buffer.alloc(0))]);
  assert.equal(errorNumberOf(harness.ask(exact)[0]), 1065);
  const wrong = Buffer.concat([frame(0, text.subarray(0, 0xff_ff_ff)), frame(2, Buffer.alloc(0))]);
  assert.equal(errorNumberOf(harness.ask(wrong)[0]), 1156);
  assert.equal(harness.protocol.phase, "closed");
});

test("a client logs in by either plugin, at once or after a switch", () => {
  const { user, password } = credentials;
  const direct = new ProtocolHarness();
  const nonce = nonceOf(direct.take()[0]);
  const sha2 = { user, scramble: sha2Scramble(password, nonce), plugin: "caching_sha2_password" };
  assert.deepEqual(hexOf(direct.ask(frame(1, handshakeResponse(sha2)))), ["2 0103", "3 00000002000000"]);

  const switched = new ProtocolHarness({ authentication: { nativePassword: false } });
  const first = nonceOf(switched.take()[0]);
  const native = { user, scramble: nativeScramble(password, first) };
  const [request] = switched.ask(frame(1, handshakeResponse(native)));
  assert.equal(request.payload.subarray(0, 23).toString("latin1"), "\u00fecaching_sha2_password\0");
  const second = request.payload.subarray(23, 43);
  assert.notDeepEqual(second, first);
  assert.deepEqual(hexOf(switched.ask(frame(3, sha2Scramble(password, second)))), ["4 0103", "5 00000002000000"]);

  const replayed = new ProtocolHarness({ authentication: { nativePassword: false } });
  replayed.take();
  replayed.ask(frame(1, handshakeResponse(native)));
  assert.equal(errorNumberOf(replayed.ask(frame(3, sha2Scramble(password, first)))[0]), 1045);
  assert.equal(replayed.protocol.phase, "closed");
});

test("wrong password and unknown user get the same answer; TLS, compression and old clients are told why not", () => {
  const attempt = (fields: Partial<Parameters<typeof handshakeResponse>[0]>) => {
    const harness = new ProtocolHarness();
    const scramble = nativeScramble(credentials.password, nonceOf(harness.take()[0]));
    const [packet] = harness.ask(frame(1, handshakeResponse({ user: credentials.user, scramble, ...fields })));
    assert.equal(harness.protocol.phase, "closed");
    assert.deepEqual(harness.ask(command(0x0e)), []);
    return packet.payload.toString("latin1").slice(3);
  };
  const wrong = attempt({ scramble: Buffer.alloc(20, 1) });
  assert.match(wrong, /^#28000Access denied for user 'lathe'/);
  assert.equal(attempt({ user: "other" }), wrong.replace("lathe", "other"));
  assert.match(attempt({ capabilities: wantedCapabilities | capability.compress }), /^#08S01compression/);
  assert.match(attempt({ capabilities: wantedCapabilities | capability.ssl }), /^#08S01TLS is not offered/);
  assert.match(attempt({ capabilities: wantedCapabilities & ~capability.protocol41 }), /before 4\.1/);
});

test("changing the user resets the session and asks for the password again", () => {
  const harness = new ProtocolHarness().logIn();
  harness.ask(command(0x16, "update"));
  assert.equal(harness.context.statements.used, 1);
  const [request] = harness.ask(command(0x11, `${credentials.user}\0\0db\0`, Buffer.of(45, 0), "mysql_native_password\0"));
  assert.equal(harness.context.statements.used, 0);
  assert.equal(request.payload[0], 0xfe);
  const nonce = request.payload.subarray(-21, -1);
  assert.deepEqual(hexOf(harness.ask(frame(2, nativeScramble(credentials.password, nonce)))), ["3 00000002000000"]);
  assert.deepEqual(hexOf(harness.ask(command(0x0e))), ["1 00000002000000"]);
  assert.equal(errorNumberOf(harness.ask(executeCommand(1, []))[0]), 1243);
  const half = harness.ask(command(0x11, `${credentials.user}\0\0db\0`, Buffer.of(45, 0), "mysql_native_password\0"));
  assert.equal(half.length, 1);
  assert.equal(errorNumberOf(harness.ask(frame(2, Buffer.alloc(20)))[0]), 1045);
  assert.equal(harness.protocol.phase, "closed");
});

test("sequence numbers out of order end the connection", () => {
  for (const sequence of [1, 2, 255]) {
    const harness = new ProtocolHarness().logIn();
    assert.equal(errorNumberOf(harness.ask(frame(sequence, Buffer.of(0x0e)))[0]), 1156);
    assert.equal(harness.protocol.phase, "closed");
  }
  const early = new ProtocolHarness();
  early.take();
  assert.equal(errorNumberOf(early.ask(frame(0, handshakeResponse({ user: "u", scramble: Buffer.alloc(20) })))[0]), 1156);
});

test("the columns of a table are listed with a NULL default each", () => {
  const harness = new ProtocolHarness().logIn();
  const rows = harness.executor.scripts.get("select all");
  assert.ok(rows?.shape);
  harness.executor.scripts.set("SELECT * FROM `ro``ws`", rows);
  const packets = harness.ask(command(0x04, "ro`ws\0%"));
  assert.equal(packets.length, rows.shape.columns.length + 1);
  for (const { payload } of packets.slice(0, -1)) assert.deepEqual([payload[0], payload.at(-1)], [3, 0xfb]);
  assert.equal(packets.at(-1)?.payload[0], 0xfe);
});

test("malformed commands get an error and the session goes on", () => {
  const harness = new ProtocolHarness().logIn();
  harness.ask(command(0x16, "set ?"));
  const head = Buffer.of(1, 0, 0, 0, 0, 1, 0, 0, 0);
  const cases: [Buffer, number][] = [
    [command(0x17), 1835],
    [command(0x17, head), 1835],
    [command(0x17, head, Buffer.of(0, 0)), 1210],
    [command(0x17, head, Buffer.of(0, 1, 8)), 1835],
    [command(0x17, head, Buffer.of(0, 1, 8, 0, 1, 2, 3)), 1835],
    [command(0x17, head, Buffer.of(0, 1, 0xfd, 0, 0xfe, 255, 255, 255, 255, 0, 0, 0, 0)), 1835],
    [command(0x17, head, Buffer.of(0, 1, 0x42, 0)), 1835],
    [command(0x17, head, Buffer.of(0, 1, 0x0c, 0, 3, 1, 1, 1)), 1835],
    [command(0x17, Buffer.of(9, 0, 0, 0, 0, 1, 0, 0, 0)), 1243],
    [command(0x1a, Buffer.of(9, 0, 0, 0)), 1243],
    [command(0x1b, Buffer.of(7, 0)), 1047],
    [command(0x1c, Buffer.of(9, 0, 0, 0, 1, 0, 0, 0)), 1243],
    [command(0x1c, Buffer.of(1, 0, 0, 0, 1, 0, 0, 0)), 1421],
    [command(0x1c), 1835],
    [command(0x04, "missing\0"), 1064],
    [command(0x04, "unterminated"), 1835],
    [command(0x0c, Buffer.of(99, 0, 0, 0)), 1094],
    [command(0x03, Buffer.of(0x27, 0xff, 0x27)), 1300],
    [command(0x03, "  "), 1065],
    [command(0x16, "nonsense"), 1064],
  ];
  for (const [bytes, number] of cases) {
    assert.equal(errorNumberOf(harness.ask(bytes)[0]), number, bytes.toString("hex"));
    assert.deepEqual(hexOf(harness.ask(command(0x0e))), ["1 00000002000000"]);
  }
  assert.equal(harness.executor.calls.length, 0);
});

test("whatever an executor does wrong, the client gets one answer and no secret", async () => {
  const harness = new ProtocolHarness().logIn();
  const shape = harness.executor.scripts.get("select all")?.shape;
  assert.ok(shape);
  const done = { affectedRows: 0, matchedRows: 0, info: "" };
  const scripts: [string, number][] = [];
  const script = (name: string, number: number, run: Parameters<typeof harness.executor.scripts.set>[1]["run"]) => {
    harness.executor.scripts.set(name, { run });
    scripts.push([name, number]);
  };
  script("throws", 1105, () => { throw new Error("/secret/path"); });
  script("throws nothing", 1105, () => { throw undefined; });
  script("rejects", 1105, () => Promise.reject(new Error("/secret/path")));
  script("rejects sql", 1146, () => Promise.reject(new SqlError("unknown_table", "Table 't' doesn't exist")));
  script("full", 1021, () => Promise.reject(Object.assign(new Error("the disk is full"), { code: "DISK_FULL" })));
  script("says nothing later", 1105, () => Promise.resolve());
  script("bad row", 1712, (sink) => {
    sink.rows(shape);
    try {
      sink.storedRow(Buffer.alloc(3), Buffer.alloc(0));
    } catch { /* and goes on as if nothing had happened */ }
    sink.end();
  });
  script("fails twice", 1235, (sink) => {
    sink.fail(new SqlError("not_selected", "joins are not there", "query_processing/joins/nested_loop"));
    sink.done(done);
    sink.fail(new SqlError("internal", "again"));
  });
  for (const [name, number] of scripts) {
    harness.protocol.receive(command(0x03, name));
    for (let i = 0; harness.protocol.busy && i < 10; i++) await turn();
    const packets = harness.take();
    const last = packets.at(-1);
    assert.equal(errorNumberOf(last), number, name);
    assert.equal(packets.filter((packet) => errorNumberOf(packet) !== undefined).length, 1, name);
    assert.ok(!last?.payload.includes("secret"));
    if (number === 1235) assert.match(String(last?.payload), /query_processing\/join/);
    assert.deepEqual(hexOf(harness.ask(command(0x0e))), ["1 00000002000000"]);
  }
  assert.ok(harness.log.lines.some(({ event }) => event === "mysql_statement_failed"));
});

test("a statement that ends after its client has gone writes nothing and holds nothing", async () => {
  const harness = new ProtocolHarness().logIn();
  harness.ask(command(0x16, "update"));
  harness.protocol.receive(command(0x03, "select later"));
  harness.protocol.disconnected();
  while (harness.settledCount === 0) await turn();
  assert.deepEqual(harness.take(), []);
  assert.deepEqual([harness.context.statements.used, harness.context.inbound.used], [0, 0]);
  assert.equal(harness.context.slab.leased, false);
});

test("a drain answers the running statement and nothing behind it", async () => {
  const idle = new ProtocolHarness().logIn();
  idle.protocol.drain();
  assert.equal(idle.protocol.phase, "closed");
  const harness = new ProtocolHarness().logIn();
  harness.protocol.receive(Buffer.concat([command(0x03, "select later"), command(0x03, "update")]));
  harness.protocol.drain();
  assert.equal(harness.protocol.phase, "command");
  while (harness.settledCount === 0) await turn();
  assert.equal(harness.protocol.phase, "closed");
  assert.equal(harness.take().at(-1)?.payload[0], 0xfe);
  assert.deepEqual(harness.executor.calls.map(({ sql }) => sql), ["select later"]);
});
