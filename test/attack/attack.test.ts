/** Some seconds of the attack, and what its judges must find; `node test/attack/attack.ts --minutes M` is the long. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { attack } from "./attack.ts";
import { beHonest, type HonestCounts } from "./honest.ts";
import { attacks, type Victim } from "./hostile.ts";

test("strangers attack both surfaces: honest clients are answered rightly, and nothing is left afterwards", {
  skip: process.platform !== "linux",
}, async () => {
  const outcome = await attack({ seconds: 3, connections: 60, seed: 1, patienceMs: 900 });
  assert.deepEqual(outcome.faults, []);
  assert.ok(outcome.honest.answers > 50, `${outcome.honest.answers} answers`);
  assert.ok(Object.keys(outcome.attacks).length > attacks.length / 2, JSON.stringify(outcome.attacks));
});

/** A server that is wrong: it greets as a MySQL server does, and answers whatever comes with the same bytes. */
async function withServer(greeting: Buffer, answer: Buffer | string, use: (victim: Victim) => Promise<void>) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.write(greeting);
    socket.on("data", () => socket.write(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    await use({ mysqlPort: port, httpPort: port, user: "lathe", password: "p", table: "kv", patienceMs: 200 });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const greeting = Buffer.concat([Buffer.of(70, 0, 0, 0, 10), Buffer.from("8.4.0\0"), Buffer.alloc(63, 1)]);
const packetOk = Buffer.of(7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0);
const makeOf = (wanted: string) => {
  const found = attacks.find(([name]) => name === wanted);
  assert.ok(found !== undefined, wanted);
  return found[1];
};

test("a server that lets anybody in is found", async () => {
  await withServer(greeting, packetOk, async (victim) => {
    for (const name of ["emptyPassword", "clearPassword", "garbage", "wrongSequence", "commandWithoutLogin"]) {
      assert.match((await makeOf(`mysql ${name}`)(victim, () => 0.5)) ?? "", /let in/, name);
    }
  });
});

test("a server that takes requests that are none, and one that answers honest clients wrongly, are found", async () => {
  const ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong";
  await withServer(Buffer.alloc(0), ok, async (victim) => {
    for (const name of ["chunksThatLie", "twoLengths", "hugeChunk", "hugeHead", "bodyThatEndsEarly"]) {
      assert.match((await makeOf(`http ${name}`)(victim, () => 0.5)) ?? "", /answered with 200/, name);
    }
    const counts: HonestCounts = { answers: 0, refused: 0, slowestMs: 0, wrong: [] };
    let turns = 2;
    await beHonest(victim, 1, "honest", () => 0, () => turns-- > 0, counts);
    assert.match(counts.wrong[0] ?? "", /is wrong, not undefined/);
  });
});
