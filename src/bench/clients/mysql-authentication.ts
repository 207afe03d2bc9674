/**
 * The client's side of MySQL's password methods.
 *
 *   mysql_native_password   SHA1(p) ⊕ SHA1(nonce ‖ SHA1(SHA1(p)))
 *   caching_sha2_password   fast: SHA256(p) ⊕ SHA256(SHA256(SHA256(p)) ‖ nonce); full, without TLS: the
 *                           password and a zero byte, ⊕ the nonce repeated, encrypted with the server's
 *                           public key (RSA-OAEP)
 * Source: MySQL's "Connection Phase" documentation.
 */
import { constants, createHash, publicEncrypt } from "node:crypto";

export const nonceLength = 20;

export function nativeScramble(password: string, nonce: Uint8Array): Buffer {
  if (password === "") return Buffer.alloc(0);
  const once = digest("sha1", Buffer.from(password, "utf8"));
  return xor(once, digest("sha1", nonce, digest("sha1", once)));
}

export function cachingSha2Scramble(password: string, nonce: Uint8Array): Buffer {
  if (password === "") return Buffer.alloc(0);
  const once = digest("sha256", Buffer.from(password, "utf8"));
  return xor(once, digest("sha256", digest("sha256", once), nonce));
}

export function cachingSha2Encrypted(password: string, nonce: Uint8Array, publicKeyPem: string): Buffer {
  const secret = Buffer.from(`${password}\0`, "utf8");
  const masked = secret.map((byte, index) => byte ^ nonce[index % nonceLength]);
  return publicEncrypt({ key: publicKeyPem, padding: constants.RSA_PKCS1_OAEP_PADDING }, masked);
}

function digest(algorithm: string, ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ right[index]));
}
