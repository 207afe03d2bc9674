/**
 * The connection phase of a MySQL client: greeting, response, and whatever the password method asks for.
 *
 * Steps:
 *   1. The server greets with its capabilities, a nonce of 20 bytes and its favourite method.
 *   2. We answer with our capabilities, user, scramble and database; where TLS is wanted and offered, after a request
 *      for it (the first 32 bytes of that answer) and its handshake.
 *   3. The server says OK, ERR, asks for another method (FE), or goes on with its own (01): for
 *      `caching_sha2_password` 03 means that the scramble was right, 04 asks for the password under its
 *      public key.
 * Source: MySQL's "Connection Phase" documentation.
 */
import type { Endpoint } from "../../fleet/server.ts";
import { LatheError } from "../../kit/errors.ts";
import { cachingSha2Encrypted, cachingSha2Scramble, nativeScramble, nonceLength } from "./mysql-authentication.ts";
import { MySqlError } from "./mysql-error.ts";

const capability = {
  longPassword: 1 << 0,
  longFlag: 1 << 2,
  connectWithDatabase: 1 << 3,
  protocol41: 1 << 9,
  ssl: 1 << 11,
  transactions: 1 << 13,
  secureConnection: 1 << 15,
  multiStatements: 1 << 16,
  multiResults: 1 << 17,
  preparedMultiResults: 1 << 18,
  pluginAuthentication: 1 << 19,
  deprecateEof: 1 << 24,
} as const;

/** What TAOBench's client asks for: several statements per packet, affected (not found) rows. */
const wanted =
  capability.longPassword | capability.longFlag | capability.protocol41 | capability.transactions |
  capability.secureConnection | capability.multiStatements | capability.multiResults | capability.preparedMultiResults |
  capability.pluginAuthentication | capability.deprecateEof;

const charsetUtf8mb4 = 45;
const roundsMax = 8;

export interface PacketExchange {
  receive(): Promise<Buffer>;
  send(payload: Uint8Array): void;
  /** Goes on under TLS, where that is wanted. Whether the server's certificate is checked is the endpoint's choice. */
  readonly secure?: (() => Promise<void>) | undefined;
  /** Whether a server that offers no TLS is refused. */
  readonly isTlsDemanded?: boolean | undefined;
}

/** What servers say to clients that come without TLS where it is required. */
const insecureTransport = 3159;

/** Whether a login failed because it came without TLS. */
export function asksForTls(error: unknown): boolean {
  const { cause } = error as { cause?: { number?: unknown } };
  return cause?.number === insecureTransport;
}

interface Greeting {
  readonly capabilities: number;
  readonly nonce: Buffer;
  readonly method: string;
}

export async function authenticate(
  endpoint: Endpoint,
  exchange: PacketExchange,
): Promise<{ deprecateEof: boolean }> {
  const greeting = decodeGreeting(await exchange.receive());
  const database = endpoint.database === undefined ? 0 : capability.connectWithDatabase;
  const secured = exchange.secure !== undefined && (greeting.capabilities & capability.ssl) !== 0;
  const asked = secured ? wanted | database | capability.ssl : wanted | database;
  const capabilities = asked & (greeting.capabilities | database);
  if (secured) {
    exchange.send(encodeHead(capabilities));
    await exchange.secure?.();
  } else if (exchange.isTlsDemanded === true) {
    const { host, port } = endpoint;
    const message = `${host}:${port} offers no TLS, so nobody can tell who it is; --insecure goes on without it`;
    throw new LatheError("PERMISSION", message);
  }
  exchange.send(encodeResponse(endpoint, greeting, capabilities));
  let { method, nonce } = greeting;
  for (let round = 0; round < roundsMax; round++) {
    const packet = await exchange.receive();
    switch (packet[0]) {
      case 0x00:
        return { deprecateEof: (capabilities & capability.deprecateEof) !== 0 };
      case 0xff:
        throw refused(endpoint, packet);
      case 0xfe: {
        const end = packet.indexOf(0, 1);
        method = packet.toString("latin1", 1, end);
        nonce = Buffer.from(packet.subarray(end + 1, end + 1 + nonceLength));
        exchange.send(scramble(method, endpoint.password, nonce));
        break;
      }
      case 0x01:
        await continueSha2(packet, endpoint, nonce, exchange, secured);
        break;
      default:
        throw new LatheError("PROTOCOL", `the server answered the login with packet type ${packet[0]}`);
    }
  }
  throw new LatheError("PROTOCOL", `the login was not over after ${roundsMax} rounds`);
}

async function continueSha2(
  packet: Buffer,
  { password, tls }: Endpoint,
  nonce: Buffer,
  exchange: PacketExchange,
  secured: boolean,
): Promise<void> {
  const fastPathWorked = 0x03;
  const fullNeeded = 0x04;
  const askForKey = 0x02;
  if (packet[1] === fastPathWorked) return;
  if (packet[1] !== fullNeeded) throw new LatheError("PROTOCOL", `unknown step ${packet[1]} of caching_sha2_password`);
  // Whose certificate was checked gets the password itself, which is how the protocol does it under TLS.
  if (secured && tls !== undefined) return exchange.send(Buffer.from(`${password}\0`));
  if (secured) {
    // The password itself would go to whoever holds a certificate that nobody has checked.
    throw new LatheError("PERMISSION", "the server asks for the password under TLS; log in once by another client");
  }
  exchange.send(Buffer.of(askForKey));
  const key = await exchange.receive();
  if (key[0] !== 0x01) throw new LatheError("PROTOCOL", "the server did not send its public key");
  exchange.send(cachingSha2Encrypted(password, nonce, key.toString("latin1", 1)));
}

function scramble(method: string, password: string, nonce: Buffer): Buffer {
  if (method === "caching_sha2_password") return cachingSha2Scramble(password, nonce);
  if (method === "mysql_native_password") return nativeScramble(password, nonce);
  throw new LatheError("PROTOCOL", `the server wants the password method ${method}, which this client lacks`);
}

function decodeGreeting(packet: Buffer): Greeting {
  if (packet[0] === 0xff) {
    const { number, message } = MySqlError.decode(packet, 0, packet.length);
    throw new LatheError("IO_ERROR", `the server refused the connection: ${message}`, { details: { number } });
  }
  if (packet[0] !== 10) {
    throw new LatheError("PROTOCOL", `protocol version ${packet[0]} instead of 10: no MySQL server?`);
  }
  const afterVersion = packet.indexOf(0, 1) + 1;
  const first = packet.subarray(afterVersion + 4, afterVersion + 12);
  const rest = afterVersion + 13;
  const capabilities = packet.readUInt16LE(rest) | (packet.readUInt16LE(rest + 5) << 16);
  // charset 1, status 2, upper capabilities 2, nonce length 1, reserved 10: the second part of the nonce
  // is at rest + 18.
  const second = packet.subarray(rest + 18, rest + 18 + nonceLength - 8);
  const methodStart = rest + 18 + Math.max(13, packet[rest + 7] - 8);
  const methodEnd = packet.indexOf(0, methodStart);
  const method = packet.toString("latin1", methodStart, methodEnd < 0 ? packet.length : methodEnd);
  return { capabilities, nonce: Buffer.concat([first, second]), method };
}

function encodeHead(capabilities: number): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(capabilities >>> 0, 0);
  fixed.writeUInt32LE(16 << 20, 4);
  fixed[8] = charsetUtf8mb4;
  return fixed;
}

function encodeResponse(endpoint: Endpoint, greeting: Greeting, capabilities: number): Buffer {
  const fixed = encodeHead(capabilities);
  const known = ["caching_sha2_password", "mysql_native_password"].includes(greeting.method);
  const method = known ? greeting.method : "mysql_native_password";
  const answer = scramble(method, endpoint.password, greeting.nonce);
  const zero = Buffer.of(0);
  const database = endpoint.database === undefined ? [] : [Buffer.from(endpoint.database), zero];
  return Buffer.concat([
    fixed, Buffer.from(endpoint.user), zero, Buffer.of(answer.length), answer, ...database, Buffer.from(method), zero,
  ]);
}

function refused(endpoint: Endpoint, packet: Buffer): LatheError {
  const cause = MySqlError.decode(packet, 0, packet.length);
  const denied = cause.number === 1045 || cause.number === 1698;
  const message = `login as ${endpoint.user} failed: ${cause.message}`;
  return new LatheError(denied ? "PERMISSION" : "IO_ERROR", message, { cause });
}
