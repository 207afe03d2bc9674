/** The surface on real sockets, where pausing, draining and closing are the system's. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createNodeEnv } from "../../../../../kit/env/node-env.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { metricOf } from "../../manual-network.fixture.ts";
import { openMysqlSurface } from "./mysql-surface.ts";
import { credentials, ProtocolHarness } from "./protocol-harness.fixture.ts";
import { command, frame, handshakeResponse, nativeScramble, nonceOf, packetsOf } from "./raw-client.fixture.ts";
import { objectsTable, ScriptedExecutor, shapeOf } from "./scripted-executor.fixture.ts";
import type { Script } from "./scripted-executor.fixture.ts";

function nextBytes(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => socket.once("data", resolve));
}

async function logIn(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  const [greeting] = packetsOf(await nextBytes(socket));
  const scramble = nativeScramble(credentials.password, nonceOf(greeting));
  socket.write(frame(1, handshakeResponse({ user: credentials.user, scramble })));
  assert.equal(packetsOf(await nextBytes(socket))[0].payload[0], 0);
  return socket;
}

test("pipelined results larger than every buffer arrive whole, and are made as they are read", async (context) => {
  const env = createNodeEnv({ logLevel: "error" });
  context.after(() => env.threads.close());
  const executor = new ScriptedExecutor(rowToKv);
  const shape = shapeOf(objectsTable, [1, 2]);
  const value = rowToKv.encodeValue(objectsTable, [1n, 2n, "v".repeat(150)]);
  const rows = 6000;
  const many: Script = {
    run(sink) {
      sink.rows(shape);
      for (let i = 0; i < rows; i++) sink.storedRow(Buffer.alloc(12), value);
      sink.end();
    },
  };
  executor.scripts.set("many", many);
  const harness = new ProtocolHarness().logIn();
  harness.executor.scripts.set("many", many);
  harness.protocol.receive(command(0x03, "many"));
  const oneResult = Buffer.concat(harness.writes);
  const surface = openMysqlSurface(env, { executor, credentials, layout: rowToKv });
  context.after(() => surface.close());
  const { port } = await surface.listen({ host: "127.0.0.1", port: 0 });
  const socket = await logIn(port);
  socket.pause();
  const queries = 40;
  socket.write(Buffer.concat(Array.from({ length: queries }, () => command(0x03, "many"))));
  while (executor.calls.length === 0) await turn();
  for (let i = 0; i < 200; i++) await turn();
  const servedUnread = executor.calls.length;
  assert.ok(servedUnread < queries, `${servedUnread} results were made that nobody reads`);
  const pieces: Buffer[] = [];
  let received = 0;
  socket.on("data", (bytes) => {
    pieces.push(bytes);
    received += bytes.length;
  });
  socket.resume();
  while (received < queries * oneResult.length) await turn();
  const all = Buffer.concat(pieces);
  for (let i = 0; i < queries; i++) {
    assert.ok(all.subarray(i * oneResult.length, (i + 1) * oneResult.length).equals(oneResult), `result ${i}`);
  }
  assert.equal(packetsOf(oneResult).length, rows + 4);
  socket.destroy();
});

test("a client that goes away while its statement waits is let go at once", async (context) => {
  const env = createNodeEnv({ logLevel: "error" });
  context.after(() => env.threads.close());
  const executor = new ScriptedExecutor(rowToKv);
  let release = () => {};
  executor.scripts.set("wait", {
    async run(sink) {
      await new Promise<void>((resolve) => (release = resolve));
      sink.done({ affectedRows: 1, matchedRows: 1, info: "" });
    },
  });
  const surface = openMysqlSurface(env, { executor, credentials, layout: rowToKv });
  context.after(() => surface.close());
  const { port } = await surface.listen({ host: "127.0.0.1", port: 0 });
  const socket = await logIn(port);
  socket.write(command(0x03, "wait"));
  while (executor.calls.length === 0) await turn();
  socket.destroy();
  while (metricOf(surface, "mysql_connections") !== 0) await turn();
  release();
  await turn();
  const again = await logIn(port);
  again.destroy();
});
