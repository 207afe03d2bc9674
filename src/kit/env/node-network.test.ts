import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Connection } from "./env.ts";
import { NodeNetwork } from "./node-network.ts";

const network = new NodeNetwork();
const host = "127.0.0.1";

async function pair(serve: (connection: Connection) => void) {
  const listener = await network.listen({ host, port: 0 }, serve);
  return { listener, client: await network.connect({ host, port: listener.port }) };
}

function received(connection: Connection): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    connection.onData((bytes) => chunks.push(Buffer.from(bytes)));
    connection.onClose(() => resolve(Buffer.concat(chunks)));
  });
}

function echo(connection: Connection): void {
  connection.onClose(() => undefined);
  connection.onDrain(() => connection.resume());
  connection.onData((bytes) => {
    if (!connection.write(bytes.slice())) connection.pause();
  });
}

test("bytes arrive whole and in order, whatever the sizes and turns of the writes", async () => {
  const writes = fc.array(fc.record({ length: fc.oneof(fc.nat(50), fc.nat(200_000)), turn: fc.boolean() }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(writes, async (plan) => {
      const { listener, client } = await pair(echo);
      const all = received(client);
      const sent: Buffer[] = [];
      let total = 0;
      for (const { length, turn } of plan) {
        sent.push(Buffer.alloc(length, sent.length + 1));
        client.write(sent[sent.length - 1]);
        total += length;
        if (turn) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(client.bufferedBytes <= total);
      client.end();
      assert.equal(Buffer.compare(await all, Buffer.concat(sent)), 0);
      await listener.close();
    }),
    { numRuns: 15 },
  );
});

test("whoever is told to wait is told to go on", async () => {
  const { listener, client } = await pair((connection) => {
    connection.onData(() => undefined);
    connection.onClose(() => undefined);
  });
  client.onData(() => undefined);
  for (const size of [100, 65_536, 70_000, 5_000_000]) {
    const full = new Promise<void>((resolve) => client.onDrain(resolve));
    let accepted = true;
    while (accepted) accepted = client.write(new Uint8Array(size));
    await full;
  }
  const closed = new Promise((resolve) => client.onClose(resolve));
  client.destroy();
  assert.equal(client.bufferedBytes, 0);
  assert.equal(await closed, undefined);
  await listener.close();
});

/** Answers that count up, in bytes that are written over as soon as the connection allows it. */
function countUp(connection: Connection, pieces: number, pieceBytes: number, outcomes: Set<string>): void {
  let bytes = Buffer.allocUnsafeSlow(pieceBytes);
  let piece = 0;
  const go = () => {
    while (piece < pieces) {
      const outcome = connection.writeNow(bytes.fill(++piece));
      outcomes.add(outcome);
      if (outcome !== "taken") bytes = Buffer.allocUnsafeSlow(pieceBytes);
      if (outcome === "full") return;
    }
    connection.end();
  };
  connection.onClose(() => undefined);
  connection.onDrain(go);
  connection.onData(go);
}

test("bytes may be written over once they are taken, and arrive as they were given, also to a slow reader", async () => {
  const [pieces, pieceBytes] = [200, 60_000];
  const outcomes = new Set<string>();
  // The first connection of a process goes through the stream, from whose first write the way past it is learnt.
  for (let connections = 0; connections < 2; connections++) {
    outcomes.clear();
    const { listener, client } = await pair((connection) => {
      connection.write(Uint8Array.of(0));
      countUp(connection, pieces, pieceBytes, outcomes);
    });
    const all = received(client);
    client.write(Uint8Array.of(1));
    client.pause();
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.resume();
    const bytes = (await all).subarray(1);
    await listener.close();
    assert.equal(bytes.length, pieces * pieceBytes);
    for (let piece = 0; piece < pieces; piece++) {
      const part = bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes);
      assert.ok(part.every((byte) => byte === piece + 1), `piece ${piece + 1} was written over`);
    }
  }
  assert.ok(outcomes.has("taken") && (outcomes.has("held") || outcomes.has("full")), [...outcomes].join());
});

test("a connection that goes away with bytes held is closed once, and holds nothing afterwards", async () => {
  const closed = Promise.withResolvers<Connection>();
  const { listener, client } = await pair((connection) => {
    connection.onDrain(() => undefined);
    connection.onClose(() => closed.resolve(connection));
    connection.onData(() => {
      for (let outcome = "taken"; outcome === "taken";) outcome = connection.writeNow(new Uint8Array(1 << 20));
      assert.ok(connection.bufferedBytes > 0);
      // Behind bytes that are held, others wait their turn.
      assert.notEqual(connection.writeNow(Uint8Array.of(1)), "taken");
      client.destroy();
    });
  });
  client.onData(() => undefined);
  client.onClose(() => undefined);
  client.pause();
  client.write(Uint8Array.of(1));
  const connection = await closed.promise;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(connection.bufferedBytes, 0);
  assert.equal(connection.writeNow(Uint8Array.of(1)), "taken");
  await listener.close();
});

test("the end is told once: with an error where there was one, without where there was none", async () => {
  const closes: (Error | undefined)[] = [];
  const told = Promise.withResolvers<void>();
  let accepted: Connection | undefined;
  const { listener, client } = await pair((connection) => {
    accepted = connection;
    connection.onData(() => undefined);
    connection.onClose((error) => told.resolve(void closes.push(error)));
  });
  client.onData(() => undefined);
  const gone = new Promise((resolve) => client.onClose(resolve));
  client.end();
  await gone;
  await told.promise;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(closes, [undefined]);
  assert.ok(accepted !== undefined);
  // Writing to one that has gone is no error: `onClose` has said it.
  accepted.write(Uint8Array.of(1));
  accepted.end();
  await new Promise((resolve) => setImmediate(resolve));
  await listener.close();
});

test("errors: a port in use, nobody there, no such address", async () => {
  const listener = await network.listen({ host, port: 0 }, echo);
  const { port } = listener;
  await assert.rejects(network.listen({ host, port }, echo), { code: "ADDRESS_IN_USE", message: new RegExp(`:${port}`) });
  await listener.close();
  // Not the port of before: another process may have been given it.
  await assert.rejects(network.connect({ host, port: 1 }), { code: "IO_ERROR" });
  await assert.rejects(network.listen({ host: "192.0.2.1", port: 0 }, echo), { code: "INVALID_ARGUMENT" });
});
