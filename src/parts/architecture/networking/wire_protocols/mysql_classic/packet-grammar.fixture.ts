/**
 * Packets as a grammar draws them: commands, logins and requests for TLS that are mostly well formed, and what damages
 * them at the places where a parser believes what it reads (lengths, sequence numbers, types, ends).
 */
import { capability } from "./capability.ts";
import { frame, handshakeResponse, wantedCapabilities } from "./raw-client.fixture.ts";

/** Draws that one seed repeats. */
export class Choice {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e37_79b1) ^ 0x5bd1_e995) >>> 0;
  }

  u32(): number {
    // xorshift32 needs a state that is not 0.
    let x = this.#state === 0 ? 0x1234_5678 : this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  below(count: number): number {
    return Math.floor((this.u32() / 2 ** 32) * count);
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)];
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.u32() >>> 24;
    return bytes;
  }
}

const u16 = (value: number) => Buffer.of(value & 0xff, (value >>> 8) & 0xff);
const u32 = (value: number) => Buffer.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
const sizes = [0, 1, 2, 3, 4, 7, 8, 11, 12, 250, 251, 252, 253, 254, 255];
/** Types of parameters: all that there are, and some that there are not. */
const types = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 0xf5, 0xf6, 0xf7, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff, 17, 99,
];

/** A length-encoded integer: right, or in a form or with a value that is not. */
function lengthEncoded(choice: Choice, value: number): Buffer {
  switch (choice.below(12)) {
    case 0:
      return Buffer.of(choice.below(256));
    case 1:
      return Buffer.concat([Buffer.of(0xfe), choice.bytes(8)]);
    case 2:
      return Buffer.concat([Buffer.of(0xfc), u16(value)]);
    case 3:
      return Buffer.concat([Buffer.of(0xfd), choice.bytes(3)]);
    default:
      return value < 251 ? Buffer.of(value) : Buffer.concat([Buffer.of(0xfc), u16(value)]);
  }
}

function parameterValue(choice: Choice, type: number): Buffer {
  if ([1, 2, 3, 4, 5, 8, 9, 13].includes(type)) return choice.bytes([1, 2, 4, 8][choice.below(4)]);
  const length = choice.of(sizes);
  return Buffer.concat([lengthEncoded(choice, length), choice.bytes(choice.below(10) === 0 ? choice.below(20) : length)]);
}

function execution(choice: Choice, count: number): Buffer {
  const head = Buffer.concat([u32(choice.below(6)), Buffer.of(choice.below(6)), u32(choice.below(3))]);
  if (count === 0) return head;
  const drawn = Array.from({ length: choice.below(8) === 0 ? choice.below(5) : count }, () => choice.of(types));
  const parts = [head, choice.bytes((count + 7) >> 3), Buffer.of(choice.below(4) === 0 ? choice.below(3) : 1)];
  for (const type of drawn) parts.push(Buffer.of(type, choice.below(3) === 0 ? 0x80 : 0));
  for (const type of drawn) parts.push(parameterValue(choice, type));
  return Buffer.concat(parts);
}

/** The payload of a command; `texts` are what statements to run or to prepare are drawn from. */
export function commandPayload(choice: Choice, texts: readonly string[]): Buffer {
  const text = () => Buffer.from(choice.of(texts));
  const id = () => u32(choice.below(6));
  switch (choice.below(24)) {
    case 0: case 1: case 2: case 3: case 4:
      return Buffer.concat([Buffer.of(0x03), text(), choice.below(4) === 0 ? Buffer.concat([Buffer.from(";"), text()]) : Buffer.alloc(0)]);
    case 5: case 6: case 7:
      return Buffer.concat([Buffer.of(0x16), text()]);
    case 8: case 9: case 10: case 11: case 12:
      return Buffer.concat([Buffer.of(0x17), execution(choice, choice.below(5))]);
    case 13: case 14:
      return Buffer.concat([Buffer.of(0x18), id(), u16(choice.below(4)), choice.bytes(choice.below(300))]);
    case 15:
      return Buffer.concat([Buffer.of(choice.of([0x19, 0x1a])), id()]);
    case 16:
      return Buffer.concat([Buffer.of(0x1c), id(), u32(choice.below(5))]);
    case 17:
      return Buffer.concat([Buffer.of(0x1b), u16(choice.below(3))]);
    case 18:
      return Buffer.concat([Buffer.of(0x11), Buffer.from(choice.of(["lathe\0", "x\0", "lathe"])), choice.bytes(choice.below(40))]);
    case 19:
      return Buffer.concat([Buffer.of(0x04), text(), Buffer.of(0)]);
    case 20:
      return Buffer.concat([Buffer.of(0x02), choice.bytes(choice.below(300))]);
    case 21:
      // A KILL of somebody else would be right to end them, so ids are of nobody.
      return Buffer.concat([Buffer.of(0x0c), u32(1000 + choice.below(1000))]);
    case 22:
      return Buffer.of(choice.of([0x01, 0x09, 0x0a, 0x0e, 0x1f]));
    default:
      return Buffer.concat([Buffer.of(choice.below(256)), choice.bytes(choice.below(40))]);
  }
}

const plugins = ["mysql_native_password", "caching_sha2_password", "mysql_clear_password", "", "x".repeat(300)];

/** The payload of an answer to the greeting, or of what follows it. */
export function loginPayload(choice: Choice): Buffer {
  const capabilities = choice.below(3) === 0
    ? choice.u32()
    : (wantedCapabilities | (choice.below(6) === 0 ? 1 << choice.below(32) : 0)) & ~(choice.below(6) === 0 ? 1 << choice.below(32) : 0);
  switch (choice.below(8)) {
    case 0: {
      const request = Buffer.alloc(32);
      request.writeUInt32LE((capabilities | capability.ssl) >>> 0, 0);
      return request;
    }
    case 1:
      return choice.bytes(choice.of([0, 1, 20, 21, 32, 256, 300]));
    case 2:
      return Buffer.of(choice.below(8));
    default: {
      const scramble = choice.bytes(choice.of([0, 1, 20, 32, 255]));
      const user = choice.of(["lathe", "root", "", "x".repeat(200)]);
      const response = handshakeResponse({ user, scramble, plugin: choice.of(plugins), capabilities });
      return choice.below(3) === 0 ? Buffer.concat([response, choice.bytes(choice.below(60))]) : response;
    }
  }
}

/** A packet in its frame, damaged at one place in `oneIn`. */
export function framed(choice: Choice, sequence: number, payload: Buffer, oneIn: number): Buffer {
  if (choice.below(oneIn) !== 0 || payload.length === 0) return frame(sequence, payload);
  switch (choice.below(9)) {
    case 0:
      return frame(sequence, payload).subarray(0, choice.below(payload.length + 4));
    case 1: {
      const packet = frame(sequence, payload);
      packet[choice.below(4)] = choice.below(256);
      return packet;
    }
    case 2:
    case 3: {
      const damaged = Buffer.from(payload);
      for (let i = 0; i <= choice.below(4); i++) damaged[choice.below(damaged.length)] = choice.below(256);
      return frame(sequence, damaged);
    }
    case 4:
      // A shorter payload in a frame that says so: cut fields rather than a half-sent packet.
      return frame(sequence, payload.subarray(0, choice.below(payload.length)));
    case 5:
      return frame(sequence, Buffer.concat([payload, choice.bytes(choice.below(60))]));
    case 6:
      return Buffer.concat([frame(sequence, payload), choice.bytes(choice.below(80))]);
    case 7:
      return frame(choice.below(256), payload);
    default: {
      const at = choice.below(payload.length);
      const piece = payload.subarray(at, at + choice.below(16));
      return frame(sequence, Buffer.concat([payload.subarray(0, at), piece, piece, payload.subarray(at)]));
    }
  }
}
