/**
 * Authentication: does this client know the password?
 *
 * Two challenge-response plugins; N is the nonce of 20 bytes, P the password, V what the server keeps.
 *
 *   | plugin                | V                     | scramble                                         |
 *   |-----------------------|-----------------------|--------------------------------------------------|
 *   | mysql_native_password | SHA1(SHA1(P))         | SHA1(P) xor SHA1(N, V)                           |
 *   | caching_sha2_password | SHA256(SHA256(P))     | SHA256(P) xor SHA256(V, N)                       |
 *
 * The server removes the mask, hashes once more and compares with V in constant time. Fast path of
 * caching_sha2: the scramble decides. Full path, while the cache is cold (`fastPath: false`, until
 * the first login by it): the client fetches the server's public key and sends P xor N under
 * RSA-OAEP, or P and a NUL where the connection is under TLS, so that no password crosses the wire in the clear.
 *
 * Invariants:
 *   1. The password is not kept, only V.
 *   2. An unknown user takes the same steps against a V that nothing matches, and gets the same answer.
 *   3. Nonces hold no NUL and no `$`, which clients treat as ends.
 *
 * `node:crypto` is used for SHA-1, SHA-256, RSA and timingSafeEqual only: functions of bytes that
 * touch nothing outside, except that the key pair of the full path takes randomness from the
 * system.
 * Source: MySQL's sql/auth/sha2_password.cc and sql/auth/password.c.
 */
import { constants, generateKeyPairSync, hash, privateDecrypt, timingSafeEqual } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Credentials } from "../../surface.ts";
import { nonceBytes } from "./handshake.ts";

export type AuthPlugin = "caching_sha2_password" | "mysql_native_password";

export interface AuthenticationOptions {
  /**
   * False: the first login takes the full path, as on a MySQL server that has just started. Default
   * true.
   */
  readonly fastPath?: boolean;
  /** Whether clients may log in by mysql_native_password, as those before MySQL 8 must. Default true. */
  readonly nativePassword?: boolean;
}

/** What to do next with a client that logs in. */
export type AuthStep =
  | { readonly kind: "accepted"; readonly fast: boolean }
  | { readonly kind: "denied" }
  | { readonly kind: "more"; readonly data: Buffer };

const fullPathWanted = Buffer.of(4);
const publicKeyWanted = 2;

export class Authenticator {
  readonly #userHash: Buffer;
  readonly #passwordEmpty: boolean;
  readonly #sha1Verifier: Buffer;
  readonly #sha256Verifier: Buffer;
  readonly #strangerVerifier: Buffer;
  readonly #nativePassword: boolean;
  #warm: boolean;
  #keys: { readonly publicPem: Buffer; readonly privateKey: KeyObject } | undefined;

  constructor(
    credentials: Credentials,
    randomBytes: (length: number) => Uint8Array,
    options: AuthenticationOptions = {},
  ) {
    this.#userHash = sha256(Buffer.from(credentials.user));
    const password = Buffer.from(credentials.password);
    this.#passwordEmpty = password.length === 0;
    this.#sha1Verifier = sha1(sha1(password));
    this.#sha256Verifier = sha256(sha256(password));
    this.#strangerVerifier = Buffer.from(randomBytes(32));
    this.#nativePassword = options.nativePassword ?? true;
    this.#warm = options.fastPath ?? true;
    if (!this.#warm) this.#keys = createKeys();
  }

  /** The plugin to use with a client that proposes one; differs where that one is not to be had. */
  choose(proposed: string): AuthPlugin {
    return proposed === "mysql_native_password" && this.#nativePassword ? proposed : "caching_sha2_password";
  }

  /** Judges a scramble. */
  begin(plugin: AuthPlugin, user: string, scramble: Buffer, nonce: Uint8Array): AuthStep {
    const userKnown = timingSafeEqual(sha256(Buffer.from(user)), this.#userHash);
    if (plugin === "mysql_native_password") {
      const verifier = userKnown ? this.#sha1Verifier : this.#strangerVerifier.subarray(0, 20);
      const mask = sha1(Buffer.concat([nonce, verifier]));
      return this.#judge(userKnown, scramble, matches(scramble, mask, verifier, sha1));
    }
    if (!this.#warm && scramble.length > 0) return { kind: "more", data: fullPathWanted };
    const verifier = userKnown ? this.#sha256Verifier : this.#strangerVerifier;
    const mask = sha256(Buffer.concat([verifier, nonce]));
    return this.#judge(userKnown, scramble, matches(scramble, mask, verifier, sha256));
  }

  /**
   * Goes on with the full path: the client asks for the public key, or sends the password under it or, where the
   * connection is `secured`, as it is.
   */
  continue(user: string, data: Buffer, nonce: Uint8Array, secured: boolean): AuthStep {
    const keys = this.#keys;
    if (keys === undefined) return { kind: "denied" };
    if (data.length === 1 && data[0] === publicKeyWanted) return { kind: "more", data: keys.publicPem };
    const userKnown = timingSafeEqual(sha256(Buffer.from(user)), this.#userHash);
    const verifier = userKnown ? this.#sha256Verifier : this.#strangerVerifier;
    const password = secured ? withoutNul(data) : decryptPassword(keys.privateKey, data, nonce);
    const right = timingSafeEqual(sha256(sha256(password ?? Buffer.alloc(1))), verifier);
    if (password === undefined || !right || !userKnown) return { kind: "denied" };
    this.#warm = true;
    return { kind: "accepted", fast: false };
  }

  /** An empty scramble means an empty password, which only an account without one may have. */
  #judge(userKnown: boolean, scramble: Buffer, right: boolean): AuthStep {
    const proven = scramble.length === 0 ? this.#passwordEmpty : right && !this.#passwordEmpty;
    return userKnown && proven ? { kind: "accepted", fast: scramble.length > 0 } : { kind: "denied" };
  }
}

/** 20 random bytes from 01 to 7F without `$`. */
export function createNonce(randomBytes: (length: number) => Uint8Array): Buffer {
  const nonce = Buffer.from(randomBytes(nonceBytes));
  for (let i = 0; i < nonce.length; i++) {
    const byte = nonce[i] & 0x7f;
    nonce[i] = byte === 0 || byte === 0x24 ? byte + 1 : byte;
  }
  return nonce;
}

function matches(
  scramble: Buffer,
  mask: Buffer,
  verifier: Uint8Array,
  hashOnce: (bytes: Buffer) => Buffer,
): boolean {
  const proof = Buffer.alloc(mask.length);
  for (let i = 0; i < mask.length; i++) proof[i] = (scramble[i] ?? 0) ^ mask[i];
  return timingSafeEqual(hashOnce(proof), verifier) && scramble.length === mask.length;
}

function decryptPassword(privateKey: KeyObject, data: Buffer, nonce: Uint8Array): Buffer | undefined {
  try {
    const masked = privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, data);
    for (let i = 0; i < masked.length; i++) masked[i] ^= nonce[i % nonce.length];
    return withoutNul(masked);
  } catch {
    return undefined;
  }
}

function withoutNul(bytes: Buffer): Buffer | undefined {
  return bytes.length > 0 && bytes[bytes.length - 1] === 0 ? bytes.subarray(0, -1) : undefined;
}

function createKeys(): { publicPem: Buffer; privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { publicPem: Buffer.from(publicKey.export({ type: "spki", format: "pem" })), privateKey };
}

function sha1(bytes: Buffer): Buffer {
  return hash("sha1", bytes, "buffer");
}

function sha256(bytes: Buffer): Buffer {
  return hash("sha256", bytes, "buffer");
}
