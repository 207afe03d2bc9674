/**
 * A client for tests and benchmarks that speaks packets, not statements: it logs in by
 * mysql_native_password and then sends what it is told, right or wrong.
 */
import { createHash } from "node:crypto";
import { capability, offeredCapabilities } from "./capability.ts";

export const wantedCapabilities = offeredCapabilities & ~capability.connectWithDatabase & ~capability.connectAttributes;

export interface Packet {
  readonly sequence: number;
  readonly payload: Buffer;
}

export function frame(sequence: number, payload: Uint8Array): Buffer {
  const packet = Buffer.alloc(4 + payload.length);
  packet.writeUIntLE(payload.length, 0, 3);
  packet[3] = sequence;
  packet.set(payload, 4);
  return packet;
}

export function command(code: number, ...parts: (Uint8Array | string)[]): Buffer {
  const payload = Buffer.concat([Buffer.of(code), ...parts.map((part) => Buffer.from(part as Uint8Array))]);
  return frame(0, payload);
}

/** Cuts bytes into whole packets; fails where one is cut off. */
export function packetsOf(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntLE(at, 3);
    if (at + 4 + length > bytes.length) throw new Error(`a packet of ${length} bytes is cut off`);
    packets.push({ sequence: bytes[at + 3], payload: bytes.subarray(at + 4, at + 4 + length) });
    at += 4 + length;
  }
  return packets;
}

export function nonceOf(greeting: Packet): Buffer {
  const { payload } = greeting;
  const afterVersion = payload.indexOf(0, 1) + 1;
  const second = afterVersion + 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10;
  return Buffer.concat([payload.subarray(afterVersion + 4, afterVersion + 12), payload.subarray(second, second + 12)]);
}

export function nativeScramble(password: string, nonce: Uint8Array): Buffer {
  const sha1 = (...parts: Uint8Array[]) => createHash("sha1").update(Buffer.concat(parts)).digest();
  const stage1 = sha1(Buffer.from(password));
  const mask = sha1(nonce, sha1(stage1));
  return Buffer.from(stage1.map((byte, index) => byte ^ mask[index]));
}

export function sha2Scramble(password: string, nonce: Uint8Array): Buffer {
  const sha256 = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
  const stage1 = sha256(Buffer.from(password));
  const mask = sha256(sha256(stage1), nonce);
  return Buffer.from(stage1.map((byte, index) => byte ^ mask[index]));
}

export interface LoginFields {
  readonly user: string;
  readonly scramble: Uint8Array;
  readonly plugin?: string;
  readonly capabilities?: number;
}

/** Handshake response 4.1, without its frame. */
export function handshakeResponse(fields: LoginFields): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE((fields.capabilities ?? wantedCapabilities) >>> 0, 0);
  head.writeUInt32LE(1 << 24, 4);
  head[8] = 45;
  return Buffer.concat([
    head,
    Buffer.from(`${fields.user}\0`),
    Buffer.of(fields.scramble.length),
    fields.scramble,
    Buffer.from(`${fields.plugin ?? "mysql_native_password"}\0`),
  ]);
}

/** COM_STMT_EXECUTE with bigint parameters. */
export function executeCommand(id: number, parameters: readonly bigint[]): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt32LE(id, 0);
  head.writeUInt32LE(1, 5);
  const count = parameters.length;
  const types = Buffer.concat(parameters.map(() => Buffer.of(8, 0)));
  const values = Buffer.from(BigInt64Array.from(parameters).buffer);
  const bound = count === 0 ? [] : [Buffer.alloc((count + 7) >> 3), Buffer.of(1), types, values];
  return command(0x17, head, ...bound);
}
