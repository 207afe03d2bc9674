/**
 * The connection phase's two packets: what the server says first, and how a client answers.
 *
 * Handshake v10, server to client:
 *
 *   | field                    | bytes                                                             |
 *   |--------------------------|-------------------------------------------------------------------|
 *   | protocol version         | 1, value 10                                                       |
 *   | server version           | string<NUL>                                                       |
 *   | connection id            | 4                                                                 |
 *   | nonce, first part        | 8, then 00                                                        |
 *   | capabilities, low        | 2                                                                 |
 *   | collation                | 1                                                                 |
 *   | status                   | 2                                                                 |
 *   | capabilities, high       | 2                                                                 |
 *   | nonce length             | 1, value 21                                                       |
 *   | reserved                 | 10                                                                |
 *   | nonce, second part       | 12, then 00                                                       |
 *   | default plugin           | string<NUL>                                                       |
 *
 * Handshake response 4.1, client to server: capabilities 4, packet bytes 4, collation 1, reserved
 * 23, user string<NUL>, scramble (by capability: lenenc, length byte or NUL), database string<NUL>,
 * plugin string<NUL>, attributes.
 *
 * A request for TLS is the first 32 bytes of such a response, with the flag for TLS; the handshake of TLS follows at
 * once, and the response itself comes under it.
 *
 * Source: "Connection Phase" in MySQL's source documentation.
 */
import { capability, offeredCapabilities, serverStatus } from "./capability.ts";
import { collation } from "./field-type.ts";
import type { OutputBuffer } from "./output-buffer.ts";
import type { PacketReader } from "./packet-reader.ts";
import { protocolError } from "./wire-error.ts";
import type { WireError } from "./wire-error.ts";

export const nonceBytes = 20;
const handshakeVersion = 10;

export interface HandshakeResponse {
  /** Flags of the client that the server offers as well. */
  readonly capabilities: number;
  readonly user: string;
  readonly scramble: Buffer;
  readonly database: string;
  readonly plugin: string;
}

/**
 * What a connection has of TLS: nothing to offer, no need of it (a Unix-domain socket), on offer, asked for before
 * anything else, or in force.
 */
export type TlsState = "absent" | "local" | "offered" | "required" | "secured";

const tlsRequestBytes = 32;

export interface Greeting {
  readonly serverVersion: string;
  readonly connectionId: number;
  readonly nonce: Uint8Array;
  readonly plugin: string;
  readonly tls: boolean;
}

export function writeHandshake(output: OutputBuffer, greeting: Greeting): void {
  const offered = greeting.tls ? offeredCapabilities | capability.ssl : offeredCapabilities;
  output.sequence = 0;
  output.beginPacket();
  output.writeU8(handshakeVersion);
  output.writeText(greeting.serverVersion);
  output.writeU8(0);
  output.writeU32(greeting.connectionId);
  output.writeBytes(greeting.nonce.subarray(0, 8));
  output.writeU8(0);
  output.writeU16(offered & 0xffff);
  output.writeU8(collation.utf8mb4GeneralCi);
  output.writeU16(serverStatus.autocommit);
  output.writeU16(offered >>> 16);
  output.writeU8(nonceBytes + 1);
  output.writeBytes(Buffer.alloc(10));
  output.writeBytes(greeting.nonce.subarray(8));
  output.writeU8(0);
  output.writeText(greeting.plugin);
  output.writeU8(0);
  output.endPacket();
}

/**
 * Reads a client's answer, or its request for TLS. Errors: PROTOCOL for a truncated one; a value for what is understood
 * but refused.
 */
export function readHandshakeResponse(reader: PacketReader, tls: TlsState): HandshakeResponse | "tls" | WireError {
  if (reader.remaining < 4) return protocolError("handshake", "the handshake response is too short");
  const flags = reader.u32();
  if ((flags & capability.protocol41) === 0) {
    return protocolError("handshake", "this client speaks the protocol before 4.1; use a newer client");
  }
  if ((flags & (capability.compress | capability.zstdCompress)) !== 0) {
    return protocolError("handshake", "compression is not offered; connect without it");
  }
  const asked = askedForTls(reader, flags, tls);
  if (asked !== undefined) return asked;
  reader.take(4 + 1 + 23);
  const user = reader.textUntilNul();
  const capabilities = flags & offeredCapabilities;
  const scramble = Buffer.from(readScramble(reader, capabilities));
  const database = (capabilities & capability.connectWithDatabase) === 0 ? "" : readLastText(reader);
  const namesPlugin = (capabilities & capability.pluginAuth) !== 0;
  const plugin = namesPlugin ? readLastText(reader) : "mysql_native_password";
  return { capabilities, user, scramble, database, plugin };
}

/** Undefined where the response itself is to be read on. */
function askedForTls(reader: PacketReader, flags: number, tls: TlsState): "tls" | WireError | undefined {
  if (tls === "secured") {
    const again = reader.remaining + 4 === tlsRequestBytes && (flags & capability.ssl) !== 0;
    return again ? protocolError("handshake", "this connection is under TLS already") : undefined;
  }
  if ((flags & capability.ssl) === 0) {
    if (tls !== "required") return undefined;
    return protocolError("insecure_transport", "this server asks for TLS; connect with it (ssl-mode=REQUIRED)");
  }
  if (tls === "absent" || tls === "local") return protocolError("handshake", "TLS is not offered; connect without it");
  // Whatever comes in the clear behind the flag was not meant to, or is not the client's.
  if (reader.remaining + 4 === tlsRequestBytes) return "tls";
  return protocolError("handshake", "a request for TLS has 32 bytes");
}

function readScramble(reader: PacketReader, capabilities: number): Buffer {
  if ((capabilities & capability.pluginAuthLengthEncoded) !== 0) return reader.view(reader.length());
  if ((capabilities & capability.secureConnection) !== 0) return reader.view(reader.u8());
  const end = reader.bytes.indexOf(0, reader.position);
  const length = (end === -1 || end > reader.end ? reader.end : end) - reader.position;
  const scramble = reader.view(length);
  if (reader.remaining > 0) reader.take(1);
  return scramble;
}

/** Text up to a NUL, or up to the end: some clients leave out the last NUL, or the whole field. */
function readLastText(reader: PacketReader): string {
  const nul = reader.bytes.indexOf(0, reader.position);
  return nul === -1 || nul >= reader.end ? reader.text(reader.remaining) : reader.textUntilNul();
}

/** COM_CHANGE_USER after its command byte: user, scramble, database, collation, plugin. */
export function readChangeUser(reader: PacketReader): { user: string; database: string; plugin: string } {
  const user = reader.textUntilNul();
  reader.take(reader.u8());
  const database = readLastText(reader);
  if (reader.remaining >= 2) reader.take(2);
  return { user, database, plugin: readLastText(reader) };
}
