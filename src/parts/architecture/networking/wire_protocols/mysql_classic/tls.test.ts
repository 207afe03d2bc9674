/** TLS and what hostile clients do around it and around the login: on real sockets, and on a protocol alone. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { after, before, test } from "node:test";
import mysql from "mysql2/promise";
import { createNodeEnv } from "../../../../../kit/env/node-env.ts";
import { createSelfSignedIdentity } from "../../../../../kit/self-signed-certificate.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { capability } from "./capability.ts";
import { openMysqlSurface } from "./mysql-surface.ts";
import { errorNumberOf, ProtocolHarness } from "./protocol-harness.fixture.ts";
import { frame, handshakeResponse, nativeScramble, nonceOf, wantedCapabilities } from "./raw-client.fixture.ts";
import { ScriptedExecutor } from "./scripted-executor.fixture.ts";

const env = createNodeEnv({ logLevel: "error" });
const credentials = { user: "lathe", password: "correct horse" };
const identity = createSelfSignedIdentity({
  commonName: "localhost", dnsNames: ["localhost"], addresses: ["127.0.0.1"], nowMs: env.clock.nowMs(),
  serial: env.random.bytes(16),
});
const executor = new ScriptedExecutor(rowToKv);
const cold = { fastPath: false, nativePassword: false };
const offered = openMysqlSurface(env, {
  executor, credentials, layout: rowToKv, tls: { identity, required: false }, authentication: cold,
});
const required = openMysqlSurface(env, { executor, credentials, layout: rowToKv, tls: { identity, required: true } });
const ports = { offered: 0, required: 0 };

before(async () => {
  ports.offered = (await offered.listen({ host: "127.0.0.1", port: 0 })).port;
  ports.required = (await required.listen({ host: "127.0.0.1", port: 0 })).port;
});
after(async () => {
  await offered.close();
  await required.close();
  await env.threads.close();
});

function connect(port: number, more: Partial<mysql.ConnectionOptions> = {}): Promise<mysql.Connection> {
  return mysql.createConnection({ host: "127.0.0.1", port, ...credentials, ...more });
}

const trusting = { ssl: { ca: identity.certificatePem } };

test("mysql2 takes the full path under TLS, reads large results, and is refused with a wrong password", async () => {
  await assert.rejects(connect(ports.offered, { ...trusting, password: "wrong" }), { errno: 1045 });
  const client = await connect(ports.offered, { ...trusting, multipleStatements: true });
  const [results] = await client.query(Array.from({ length: 3000 }, () => "select all").join(";"));
  assert.equal((results as unknown[]).length, 3000);
  const [rows] = await client.execute("select rest");
  assert.equal((rows as unknown[]).length, 2);
  await client.changeUser({ user: credentials.user, password: credentials.password });
  await client.ping();
  await client.end();
  const stranger = { ssl: { ca: createSelfSignedIdentity({
    commonName: "localhost", dnsNames: ["localhost"], addresses: ["127.0.0.1"], nowMs: env.clock.nowMs(),
    serial: env.random.bytes(16),
  }).certificatePem } };
  await assert.rejects(connect(ports.offered, stranger), /certificate/i);
});

test("a server that asks for TLS refuses clients without it before it looks at their password", async () => {
  await assert.rejects(connect(ports.required), { errno: 3159 });
  await assert.rejects(connect(ports.required, { password: "wrong" }), { errno: 3159 });
  await (await connect(ports.required, trusting)).end();
});

test("the mariadb shell connects with TLS", (context) => {
  if (spawnSync("mariadb", ["--version"]).status !== 0) return context.skip("mariadb is not installed");
  // The server answers in this process, so the shell must not be waited for synchronously.
  return new Promise<void>((resolve, reject) => {
    const shell = connectShell(["--ssl", "-e", "select rest"]);
    shell.then((text) => {
      assert.match(text, /1700000000123456789/);
      resolve();
    }).catch(reject);
  });
});

async function connectShell(more: string[]): Promise<string> {
  const { execFile } = await import("node:child_process");
  const arguments_ = ["--no-defaults", "-h127.0.0.1", `-P${ports.required}`, "-ulathe", `-p${credentials.password}`];
  return new Promise((resolve, reject) => {
    execFile("mariadb", [...arguments_, "--default-character-set=utf8mb4", ...more], (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}

/** What 32 bytes ask for TLS, and what a raw socket gets when it sends bytes behind them. */
function tlsRequest(flags = wantedCapabilities | capability.ssl): Buffer {
  const payload = Buffer.alloc(32);
  payload.writeUInt32LE(flags >>> 0, 0);
  return frame(1, payload);
}

test("garbage in place of a TLS handshake, and commands in the clear behind the request, end the connection", async () => {
  const before = executor.calls.length;
  const scramble = Buffer.alloc(20, 3);
  for (const bytes of [
    Buffer.concat([tlsRequest(), Buffer.alloc(500, 0x41)]),
    Buffer.concat([tlsRequest(), frame(2, handshakeResponse({ user: "lathe", scramble }))]),
    Buffer.concat([tlsRequest(), Buffer.from("160301ffff", "hex"), Buffer.alloc(70_000)]),
  ]) {
    const socket = connectSocket(ports.required, "127.0.0.1");
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => (received = Buffer.concat([received, chunk])));
    socket.on("error", () => undefined);
    await once(socket, "data");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const greetingBytes = received.length;
    socket.write(bytes);
    await closed;
    // At most an alert of TLS (15 03); never a packet of the protocol.
    const answer = received.subarray(greetingBytes);
    assert.ok(answer.length === 0 || answer.subarray(0, 2).equals(Buffer.of(0x15, 0x03)), answer.toString("hex"));
  }
  assert.equal(executor.calls.length, before);
  await (await connect(ports.required, trusting)).end();
});

test("a request for TLS in pieces hands on what came behind it, and nothing else", () => {
  const harness = new ProtocolHarness({ tlsState: "offered" });
  const [greeting] = harness.take();
  assert.ok((greeting.payload.readUInt16LE(greeting.payload.indexOf(0, 1) + 14) & capability.ssl) !== 0);
  const request = Buffer.concat([tlsRequest(), Buffer.from("hello")]);
  assert.deepEqual(harness.ask(request.subarray(0, 7)), []);
  assert.deepEqual(harness.ask(request.subarray(7)), []);
  assert.equal(harness.tlsReceived?.toString(), "hello");
  const scramble = nativeScramble(credentials.password, nonceOf(greeting));
  const [answer] = harness.ask(frame(2, handshakeResponse({ user: "lathe", scramble })));
  assert.equal(answer.payload[0], 0);
  assert.equal(answer.sequence, 3);
});

test("downgrades are refused: TLS asked for twice, half asked for, not offered; compression in any form", () => {
  const ask = (tlsState: "absent" | "offered" | "required" | "secured", bytes: Buffer) => {
    const harness = new ProtocolHarness({ tlsState });
    harness.take();
    const number = errorNumberOf(harness.ask(bytes)[0]);
    assert.equal(harness.protocol.phase, "closed");
    return number;
  };
  const plain = (flags: number) =>
    frame(1, handshakeResponse({ user: "lathe", scramble: Buffer.alloc(20), capabilities: flags }));
  assert.equal(ask("absent", tlsRequest()), 1043);
  assert.equal(ask("offered", plain(wantedCapabilities | capability.ssl)), 1043);
  assert.equal(ask("secured", tlsRequest()), 1043);
  assert.equal(ask("required", plain(wantedCapabilities)), 3159);
  assert.equal(ask("offered", plain(wantedCapabilities & ~capability.protocol41)), 1043);
  for (const flag of [capability.compress, capability.zstdCompress]) {
    assert.equal(ask("offered", plain(wantedCapabilities | flag)), 1043);
    assert.equal(ask("offered", tlsRequest(wantedCapabilities | capability.ssl | flag)), 1043);
  }
});

test("a recorded login is worth nothing on another connection, nor a second time on its own", () => {
  const first = new ProtocolHarness();
  const other = new ProtocolHarness({ context: first.context });
  const scramble = nativeScramble(credentials.password, nonceOf(first.take()[0]));
  const recorded = frame(1, handshakeResponse({ user: "lathe", scramble }));
  assert.equal(first.ask(recorded)[0].payload[0], 0);
  other.take();
  assert.equal(errorNumberOf(other.ask(recorded)[0]), 1045);
  // A change of user comes with a nonce of its own, so that the login's scramble does not open it.
  const [change] = first.ask(frame(0, Buffer.concat([Buffer.of(0x11), Buffer.from("lathe\0\0db\0")])));
  assert.equal(change.payload[0], 0xfe);
  assert.equal(errorNumberOf(first.ask(frame(2, scramble))[0]), 1045);
  assert.equal(first.protocol.phase, "closed");
});

test("whatever plugin a client names, it is held to one of the server's", () => {
  for (const plugin of ["mysql_clear_password", "authentication_ldap", "", "mysql_native_password"]) {
    const harness = new ProtocolHarness({ authentication: { nativePassword: false } });
    harness.take();
    const response = handshakeResponse({ user: "lathe", scramble: Buffer.from("correct horse\0"), plugin });
    const [asked] = harness.ask(frame(1, response));
    assert.equal(asked.payload.toString("latin1", 1, 22), "caching_sha2_password", plugin);
    assert.equal(errorNumberOf(harness.ask(frame(3, Buffer.from("correct horse\0")))[0]), 1045);
  }
});

test("beyond loopback a surface without TLS does not listen", async () => {
  const bare = openMysqlSurface(env, { executor, credentials, layout: rowToKv });
  await assert.rejects(bare.listen({ host: "0.0.0.0", port: 0 }), { code: "INVALID_ARGUMENT", message: /TLS/ });
  const far = openMysqlSurface(env, { executor, credentials, layout: rowToKv, tls: { identity, required: false } });
  const { port } = await far.listen({ host: "0.0.0.0", port: 0 });
  await assert.rejects(connect(port), { errno: 3159 });
  await (await connect(port, trusting)).end();
  await far.close();
});
