import assert from "node:assert/strict";
import { constants, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { startScriptServer } from "../../fleet/script-server.ts";
import type { Endpoint, RunningServer } from "../../fleet/server.ts";
import { TaoWorkload } from "../../workload/taobench/tao-workload.ts";
import { cachingSha2Encrypted, cachingSha2Scramble, nativeScramble } from "./mysql-authentication.ts";
import { MySqlClient } from "./mysql-client.ts";
import { TaoStatements } from "./tao-statements.ts";
import { WorkloadSession } from "./workload-session.ts";

let server: RunningServer;
before(async () => {
  server = await startScriptServer("fixed-row server", fileURLToPath(new URL("../fixed-row-server.ts", import.meta.url)));
});
after(() => server.stop());

test("scrambles are the protocol's", () => {
  const nonce = Buffer.from("0102030405060708090a0b0c0d0e0f1011121314", "hex");
  // Computed independently with Python's hashlib.
  assert.equal(nativeScramble("secret", nonce).toString("hex"), "b32bb3a583e1340c0a1108d58b1be49781ad8c2f");
  const sha2 = cachingSha2Scramble("secret", nonce).toString("hex");
  assert.equal(sha2, "746ebe205d56a0707acb3e796e834e0dd7b1d61743b26bd5202c7a623230c7c9");
  assert.equal(nativeScramble("", nonce).length + cachingSha2Scramble("", nonce).length, 0);
});

test("the full caching_sha2 path hides the password under nonce and public key", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const nonce = Buffer.from("abcdefghijklmnopqrst");
  const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
  const sealed = cachingSha2Encrypted("a password longer than the nonce", nonce, pem);
  const masked = privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, sealed);
  const plain = Buffer.from(masked.map((byte, index) => byte ^ nonce[index % 20]));
  assert.equal(plain.toString(), "a password longer than the nonce\0");
});

test("a text of several statements gives one result each", async () => {
  const client = await MySqlClient.connect(server.endpoint);
  const read = "SELECT timestamp, value FROM objects WHERE id=1";
  const results = await client.query(`START TRANSACTION; ${read}; UPDATE x SET a=1; COMMIT`);
  const seen = results.map(({ affectedRows, rows }) => [affectedRows, rows.length]);
  assert.deepEqual(seen, [[0, 0], [0, 1], [1, 0], [0, 0]]);
  assert.equal(results[1].rows[0][0], "1759218604441600123");
  assert.equal((await client.query("SELECT timestamp, value FROM objects LIMIT 37"))[0].rows.length, 37);
  client.close();
  await assert.rejects(client.query("SELECT 1"), { code: "CLOSED" });
});

/** Passes bytes on from the server in pieces of the given sizes, over and over. */
async function dribble(sizes: readonly number[]): Promise<{ endpoint: Endpoint; proxy: Server }> {
  const proxy = createServer((near) => {
    const far = connect(server.endpoint.port, server.endpoint.host);
    let turn = 0;
    near.setNoDelay(true);
    near.pipe(far);
    far.on("data", (bytes: Buffer) => {
      for (let position = 0; position < bytes.length; ) {
        const size = sizes[turn++ % sizes.length];
        near.write(bytes.subarray(position, position + size));
        position += size;
      }
    });
    for (const socket of [near, far]) {
      socket.on("error", () => undefined);
      socket.on("close", () => [near, far].forEach((one) => one.destroy()));
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as { port: number };
  return { endpoint: { ...server.endpoint, port }, proxy };
}

test("answers are understood however the bytes are cut", async () => {
  const select = "SELECT timestamp, value FROM objects";
  const sql = `START TRANSACTION; ${select} WHERE id=1; ${select} LIMIT 9; COMMIT`;
  const whole = await MySqlClient.connect(server.endpoint);
  const expected = await whole.query(sql);
  whole.close();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }), async (sizes) => {
      const { endpoint, proxy } = await dribble(sizes);
      const client = await MySqlClient.connect(endpoint);
      assert.deepEqual(await client.query(sql), expected);
      const prepared = await client.prepare("SELECT timestamp, value FROM objects WHERE id=?");
      for (let round = 0; round < 2; round++) {
        client.beginExecute(prepared, Uint8Array.of(8, 0));
        client.request.int64(5n);
        const row = await new Promise((resolve, reject) => {
          let seen: unknown;
          client.send(
            {
              onRow: (view) => (seen = [view.bigint(0), view.text(1).length]),
              onResult: () => undefined,
              onDone: (error) => (error === undefined ? resolve(seen) : reject(error)),
            },
            prepared,
          );
        });
        assert.deepEqual(row, [1759218604441600123n, 150]);
      }
      client.close();
      proxy.close();
    }),
    { numRuns: 12 },
  );
});

test("TAOBench's statements have its numbers of parameters", async () => {
  const texts: string[] = [];
  const prepare = async (sql: string) => {
    texts.push(sql);
    return { id: 1, parameterCount: 0, columnWire: undefined, typesSent: false };
  };
  await new TaoStatements().prepare({ prepare } as unknown as MySqlClient);
  const parameters = (pattern: RegExp) =>
    texts.filter((sql) => pattern.test(sql)).map((sql) => sql.split("?").length - 1);
  assert.deepEqual(parameters(/NOT EXISTS/), [8, 13, 10, 11]);
  assert.deepEqual(parameters(/^SELECT/), [1, 3]);
  assert.deepEqual(parameters(/^UPDATE/), [4, 6]);
});

test("a session finds canned answers and counts results", async () => {
  const workload = new TaoWorkload("a", 200, 1);
  const client = await MySqlClient.connect(server.endpoint);
  const statements = new TaoStatements();
  await statements.prepare(client);
  const session = new WorkloadSession(client, statements, workload.verifier());
  const stream = workload.client(1, 0, 1);
  const wrong: Record<string, number> = {};
  for (let count = 0; count < 300; count++) {
    const [operation, outcome] = await new Promise<Parameters<Parameters<typeof session.start>[1]>>((resolve) => {
      session.start(stream.next(), (...finished) => resolve(finished));
    });
    assert.equal(outcome.error, undefined);
    if (outcome.wrong === undefined) continue;
    assert.match(outcome.wrong, /never written/);
    wrong[operation.name] = (wrong[operation.name] ?? 0) + 1;
  }
  assert.ok(wrong.READ > 150 && wrong.READTRANSACTION > 5, JSON.stringify(wrong));
  client.close();
});

test("nobody listening and a dead server are told apart from errors of statements", async () => {
  const nobody = MySqlClient.connect({ ...server.endpoint, port: 1 });
  await assert.rejects(nobody, { code: "IO_ERROR", message: /nobody listens/ });
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as { port: number };
  await assert.rejects(MySqlClient.connect({ ...server.endpoint, port }, 50), { code: "TIMEOUT" });
  silent.close();
});
