/**
 * What strangers do to a server: one function per way, each over connections of its own, each returning what the server
 * did wrong (an answer that it must not give), or undefined. That it goes on for others, the honest clients tell.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  capability,
} from "../../src/parts/architecture/networking/wire_protocols/mysql_classic/capability.ts";
import {
  command, frame, handshakeResponse, nativeScramble, nonceOf, type Packet, packetsOf, sha2Scramble, wantedCapabilities,
} from "../../src/parts/architecture/networking/wire_protocols/mysql_classic/raw-client.fixture.ts";
import { Stranger } from "./stranger.ts";

export interface Victim {
  readonly mysqlPort: number;
  readonly httpPort: number;
  readonly user: string;
  readonly password: string;
  readonly table: string;
  /** Longer than every time limit that the server was started with. */
  readonly patienceMs: number;
}

export type Attack = (victim: Victim, next: () => number) => Promise<string | undefined>;

/** A few packets of the answer, as far as they are whole. */
function wholePackets(bytes: Buffer): Packet[] {
  let end = 0;
  while (end + 4 <= bytes.length && end + 4 + bytes.readUIntLE(end, 3) <= bytes.length) {
    end += 4 + bytes.readUIntLE(end, 3);
  }
  return packetsOf(bytes.subarray(0, end));
}

/** A connection that has read the greeting; undefined where the server has no place for it. */
async function greeted(victim: Victim): Promise<{ stranger: Stranger; greeting: Packet } | undefined> {
  const stranger = await Stranger.connect(victim.mysqlPort);
  const [greeting] = stranger === undefined ? [] : wholePackets(await stranger.hear(60, 2000));
  if (stranger !== undefined && greeting?.payload[0] === 10) return { stranger, greeting };
  stranger?.leave();
  return undefined;
}

/** Sends something in place of a login; wrong is whatever lets it in. */
function beforeLogin(bytes: (greeting: Packet, next: () => number) => Uint8Array, waits = true): Attack {
  return async (victim, next) => {
    const found = await greeted(victim);
    if (found === undefined) return undefined;
    const { stranger, greeting } = found;
    const heard = stranger.received.length;
    stranger.send(bytes(greeting, next));
    await (waits ? stranger.ended(next() < 0.3 ? victim.patienceMs : 300) : sleep(20));
    const answers = wholePackets(stranger.received.subarray(heard));
    stranger.leave();
    return answers.some(({ payload }) => payload[0] === 0) ? "somebody without the password was let in" : undefined;
  };
}

async function loggedIn(victim: Victim): Promise<Stranger | undefined> {
  const found = await greeted(victim);
  if (found === undefined) return undefined;
  const { stranger, greeting } = found;
  const heard = stranger.received.length;
  const scramble = nativeScramble(victim.password, nonceOf(greeting));
  stranger.send(frame(1, handshakeResponse({ user: victim.user, scramble })));
  const [answer] = wholePackets(await stranger.hear(heard + 7, 3000)).slice(1);
  if (answer?.payload[0] === 0) return stranger;
  if (answer?.payload[0] === 0xfe) {
    const before = stranger.received.length;
    stranger.send(frame(3, sha2Scramble(victim.password, answer.payload.subarray(-21, -1))));
    const last = wholePackets((await stranger.hear(before + 7, 3000)).subarray(before)).at(-1);
    if (last?.payload[0] === 0 || last?.payload[0] === 1) return stranger;
  }
  stranger.leave();
  return undefined;
}

const random = (next: () => number, length: number) => Uint8Array.from({ length }, () => Math.floor(next() * 256));
let recordedLogin: Buffer | undefined;

const mysqlAttacks: Readonly<Record<string, Attack>> = {
  halfPacket: beforeLogin(() => Buffer.of(200, 0, 0, 1, 1, 2)),
  giantHeader: beforeLogin((_, next) => Buffer.concat([Buffer.of(255, 255, 255, 1), random(next, 2000)])),
  wrongSequence: beforeLogin((greeting) =>
    frame(77, handshakeResponse({ user: "lathe", scramble: nativeScramble("guessed", nonceOf(greeting)) }))),
  garbage: beforeLogin((_, next) => random(next, 1 + Math.floor(next() * 3000))),
  commandWithoutLogin: beforeLogin(() => command(0x03, "SELECT 1")),
  emptyPassword: beforeLogin(() => frame(1, handshakeResponse({ user: "lathe", scramble: new Uint8Array(0) }))),
  clearPassword: beforeLogin(() =>
    frame(1, handshakeResponse({
      user: "lathe", scramble: Buffer.from("x\0"), plugin: "mysql_clear_password",
    }))),
  oldProtocol: beforeLogin(() =>
    frame(1, handshakeResponse({
      user: "lathe", scramble: new Uint8Array(8),
      capabilities: wantedCapabilities & ~capability.protocol41 & ~capability.secureConnection,
    }))),
  tlsGarbage: beforeLogin((_, next) => {
    const request = Buffer.alloc(32);
    request.writeUInt32LE((wantedCapabilities | capability.ssl) >>> 0, 0);
    return Buffer.concat([frame(1, request), random(next, 500)]);
  }),
  vanishes: beforeLogin(() => Buffer.of(1), false),

  /** The very bytes of a login that was right, on another connection. */
  async replayedLogin(victim, next) {
    const found = await greeted(victim);
    if (found === undefined) return undefined;
    const scramble = nativeScramble(victim.password, nonceOf(found.greeting));
    const login = recordedLogin ?? frame(1, handshakeResponse({ user: victim.user, scramble }));
    found.stranger.leave();
    if (recordedLogin === undefined) {
      recordedLogin = login;
      return undefined;
    }
    return beforeLogin(() => login)(victim, next);
  },

  async slowReader(victim) {
    const stranger = await loggedIn(victim);
    stranger?.socket.pause();
    for (let count = 0; count < 20; count++) stranger?.send(command(0x03, `SELECT * FROM ${victim.table} LIMIT 2000`));
    await stranger?.ended(victim.patienceMs);
    stranger?.leave();
    return undefined;
  },

  async pipeline(victim) {
    const stranger = await loggedIn(victim);
    if (stranger === undefined) return undefined;
    const heard = stranger.received.length;
    const count = 10_000;
    stranger.send(Buffer.concat(Array.from({ length: count }, () => command(0x0e))));
    const answers = wholePackets((await stranger.hear(heard + count * 11, 20_000)).subarray(heard));
    const wrong = answers.find(({ payload, sequence }) => payload[0] !== 0 || sequence !== 1);
    const { closed } = stranger;
    stranger.leave();
    if (wrong !== undefined) return `a pipelined ping was answered with ${wrong.payload.toString("hex").slice(0, 40)}`;
    return answers.length === count || closed ? undefined : `${answers.length} of ${count} pings were answered`;
  },

  async vanishesInAText(victim) {
    const stranger = await loggedIn(victim);
    stranger?.send(command(0x03, `SELECT COUNT(*) FROM ${victim.table};`.repeat(200)));
    await sleep(10);
    stranger?.leave();
    return undefined;
  },

  async hostileCommands(victim, next) {
    const stranger = await loggedIn(victim);
    for (let count = 0; count < 20 && stranger?.closed === false; count++) {
      const payload = Buffer.concat([Buffer.of(Math.floor(next() * 40)), random(next, 60)]);
      stranger.send(frame(Math.floor(next() * 3), payload));
      await sleep(2);
    }
    stranger?.leave();
    return undefined;
  },
};

/** Sends bytes and looks at the statuses that come back. */
function overHttp(text: (next: () => number) => string | Uint8Array, allowed: readonly number[]): Attack {
  return async (victim, next) => {
    const stranger = await Stranger.connect(victim.httpPort);
    stranger?.send(text(next));
    await stranger?.ended(next() < 0.2 ? victim.patienceMs : 300);
    const statuses = statusesOf(stranger?.received);
    stranger?.leave();
    const wrong = statuses.find((status) => !allowed.includes(status));
    return wrong === undefined ? undefined : `answered with ${wrong}; allowed are ${allowed.join(", ")}`;
  };
}

function statusesOf(bytes: Buffer | undefined): number[] {
  const text = bytes?.toString("latin1") ?? "";
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

const post = "POST /batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
const httpAttacks: Readonly<Record<string, Attack>> = {
  chunksThatLie: overHttp(() => `${post}Transfer-Encoding: chunked\r\n\r\nff\r\nshort\r\n0\r\n\r\n`, [400, 408, 503]),
  twoLengths: overHttp(
    () => `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1`, [400, 501, 503],
  ),
  hugeChunk: overHttp(() => `${post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n`, [400, 408, 413, 503]),
  hugeBody: overHttp(() => `${post}Content-Length: 99999999999\r\n\r\nx`, [400, 408, 413, 503]),
  bodyThatEndsEarly: overHttp(() => `${post}Content-Length: 1000\r\n\r\n{"x"`, [408, 503]),
  hugeHead: overHttp(() => `GET /health HTTP/1.1\r\nX: ${"y".repeat(40_000)}\r\n\r\n`, [431, 503]),
  manyFields: overHttp(() => `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(1000)}\r\n`, [431, 503]),
  hugeLine: overHttp(() => `GET /${"a".repeat(100_000)} HTTP/1.1\r\n\r\n`, [414, 503]),
  garbage: overHttp((next) => random(next, 3000), [400, 408, 414, 431, 501, 503, 505]),
  tlsHello: overHttp(() => Buffer.from("16030100a5010000a10303", "hex"), [400, 408, 503]),

  async slowLoris(victim) {
    const stranger = await Stranger.connect(victim.httpPort);
    const head = "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Field: ";
    for (let at = 0; stranger !== undefined && !stranger.closed && at < 200; at++) {
      stranger.send(head[at] ?? "a");
      await sleep(victim.patienceMs / 100);
    }
    // Its time is ten seconds; a short attack does not wait for that.
    const ended = stranger?.closed !== false || victim.patienceMs < 12_000;
    stranger?.leave();
    return ended ? undefined : "a head that never ends was waited for beyond its time";
  },

  async pipeline(victim) {
    const stranger = await Stranger.connect(victim.httpPort);
    if (stranger === undefined) return undefined;
    const count = 10_000;
    stranger.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(count));
    let before = -1;
    while (before !== stranger.socket.bytesRead && !stranger.closed) {
      before = stranger.socket.bytesRead;
      await sleep(500);
    }
    const statuses = statusesOf(stranger.received);
    stranger.leave();
    const wrong = statuses.find((status) => status !== 200 && status !== 503);
    return wrong === undefined ? undefined : `a pipelined request was answered with ${wrong}`;
  },

  async slowReader(victim) {
    const stranger = await Stranger.connect(victim.httpPort);
    stranger?.socket.pause();
    stranger?.send("GET /export HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20));
    await stranger?.ended(victim.patienceMs);
    stranger?.leave();
    return undefined;
  },
};

/** Many at once on one port, and away again. */
function flood(port: (victim: Victim) => number): Attack {
  return async (victim) => {
    const strangers = await Promise.all(Array.from({ length: 150 }, () => Stranger.connect(port(victim))));
    await sleep(50);
    for (const stranger of strangers) stranger?.leave();
    return undefined;
  };
}

const named = (protocol: string, attacks: Readonly<Record<string, Attack>>) =>
  Object.entries(attacks).map(([name, attack]) => [`${protocol} ${name}`, attack] as const);

export const attacks: readonly (readonly [string, Attack])[] = [
  ...named("mysql", mysqlAttacks), ...named("http", httpAttacks),
  ["mysql flood", flood(({ mysqlPort }) => mysqlPort)], ["http flood", flood(({ httpPort }) => httpPort)],
];
