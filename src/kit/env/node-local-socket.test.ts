import assert from "node:assert/strict";
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Connection } from "./env.ts";
import { NodeNetwork } from "./node-network.ts";

const network = new NodeNetwork();
const directory = mkdtempSync(join(tmpdir(), "lathe-socket-"));
after(() => rmSync(directory, { recursive: true, force: true }));

function echo(connection: Connection): void {
  connection.onClose(() => undefined);
  connection.onDrain(() => undefined);
  connection.onData((bytes) => void connection.writeNow(bytes.slice()));
}

function askAt(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path }, () => socket.write(text));
    socket.once("error", reject);
    socket.once("data", (bytes) => {
      socket.destroy();
      resolve(bytes.toString());
    });
  });
}

/** The socket file of a server that has gone without removing it. */
async function deadSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.before`, resolve));
  renameSync(`${path}.before`, path);
  await new Promise((resolve) => server.close(resolve));
}

test("it answers its owner, calls the peer localhost, and is gone when it is closed", async () => {
  const path = join(directory, "a.sock");
  let peer = "";
  const mask = process.umask();
  const listener = await network.listenOnPath(path, (connection) => {
    peer = connection.remoteAddress;
    echo(connection);
  });
  assert.equal(process.umask(), mask);
  assert.deepEqual([listener.host, listener.port], [path, 0]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  // Twice: the second connection is written past the stream.
  assert.equal(await askAt(path, "hello"), "hello");
  assert.equal(await askAt(path, "again"), "again");
  assert.equal(peer, "localhost:0");
  await listener.close();
  assert.equal(existsSync(path), false);
});

test("a dead server's socket is replaced; what is in use, or no socket, stays", async () => {
  const path = join(directory, "b.sock");
  await deadSocket(path);
  assert.ok(existsSync(path));
  const listener = await network.listenOnPath(path, echo);
  assert.equal(await askAt(path, "hello"), "hello");
  await assert.rejects(network.listenOnPath(path, echo), { code: "ADDRESS_IN_USE", message: /another process/ });
  assert.equal(await askAt(path, "still here"), "still here");
  await listener.close();
  writeFileSync(path, "a file of somebody");
  await assert.rejects(network.listenOnPath(path, echo), { code: "ALREADY_EXISTS", message: /no socket/ });
  assert.equal(statSync(path).size, 18);
});

test("a path that is too long, or leads nowhere, is refused", async () => {
  const long = join(directory, "x".repeat(104));
  await assert.rejects(network.listenOnPath(long, echo), { code: "INVALID_ARGUMENT", message: /at most 103 bytes/ });
  const nowhere = join(directory, "missing", "c.sock");
  await assert.rejects(network.listenOnPath(nowhere, echo), (error: { code?: string }) => error.code !== undefined);
  assert.equal(existsSync(nowhere), false);
});
