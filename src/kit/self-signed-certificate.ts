/**
 * A certificate that a server makes for itself: X.509 version 3 on the curve P-256, signed by its own key.
 *
 * It keeps a connection from being read; it proves who the server is only to clients that were given it (as their CA).
 * Algorithm: make a key pair; write the part to be signed in DER; sign it with ECDSA and SHA-256; wrap both.
 *
 *   | field              | value                                                                        |
 *   |--------------------|------------------------------------------------------------------------------|
 *   | version            | [0] INTEGER 2                                                                |
 *   | serial             | 16 random bytes, positive                                                    |
 *   | signature          | ecdsa-with-SHA256                                                            |
 *   | issuer, subject    | CN=the common name                                                           |
 *   | validity           | from a day before now, for ten years                                         |
 *   | public key         | SubjectPublicKeyInfo                                                         |
 *   | [3] extensions     | subjectAltName: the DNS names and IPv4 addresses                             |
 *
 * Source: RFC 5280 (certificate), RFC 5758 (signature), X.690 (DER).
 */
import { generateKeyPairSync, sign } from "node:crypto";
import type { TlsIdentity } from "./env/env.ts";

export interface CertificateRequest {
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  /** IPv4 addresses in dotted form. */
  readonly addresses: readonly string[];
  readonly nowMs: number;
  /** 16 bytes. */
  readonly serial: Uint8Array;
}

const dayMs = 86_400_000;
const validDays = 3650;
const tag = {
  integer: 0x02, bitString: 0x03, octetString: 0x04, utf8String: 0x0c, generalizedTime: 0x18, utcTime: 0x17,
  sequence: 0x30, set: 0x31, version: 0xa0, extensions: 0xa3, dnsName: 0x82, ipAddress: 0x87,
} as const;
const objectId = {
  commonName: Buffer.of(0x06, 0x03, 0x55, 0x04, 0x03),
  subjectAltName: Buffer.of(0x06, 0x03, 0x55, 0x1d, 0x11),
  ecdsaWithSha256: Buffer.of(0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02),
} as const;

export function createSelfSignedIdentity(request: CertificateRequest): TlsIdentity {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = element(tag.sequence, objectId.ecdsaWithSha256);
  const name = element(
    tag.sequence,
    element(tag.set, element(tag.sequence, objectId.commonName, text(tag.utf8String, request.commonName))),
  );
  const serial = Buffer.from(request.serial);
  // Positive, and without a leading zero that DER would not allow.
  serial[0] = (serial[0] & 0x3f) | 0x40;
  const validity = element(
    tag.sequence,
    time(request.nowMs - dayMs),
    time(request.nowMs + validDays * dayMs),
  );
  const signed = element(
    tag.sequence,
    element(tag.version, element(tag.integer, Buffer.of(2))),
    element(tag.integer, serial),
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
    element(tag.extensions, element(tag.sequence, alternativeNames(request))),
  );
  const signature = sign("sha256", signed, privateKey);
  const certificate = element(tag.sequence, signed, algorithm, element(tag.bitString, Buffer.of(0), signature));
  return {
    certificatePem: pem(certificate),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function alternativeNames({ dnsNames, addresses }: CertificateRequest): Buffer {
  const names = [
    ...dnsNames.map((name) => text(tag.dnsName, name)),
    ...addresses.map((address) => element(tag.ipAddress, Buffer.from(address.split(".").map(Number)))),
  ];
  const value = element(tag.octetString, element(tag.sequence, ...names));
  return element(tag.sequence, objectId.subjectAltName, value);
}

/** UTCTime until 2049, GeneralizedTime from then on, as RFC 5280 asks for. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, "").slice(0, 14);
  return digits < "2050" ? text(tag.utcTime, `${digits.slice(2)}Z`) : text(tag.generalizedTime, `${digits}Z`);
}

function text(kind: number, value: string): Buffer {
  return element(kind, Buffer.from(value, "utf8"));
}

function element(kind: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(kind, length), content]);
  const size = length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff];
  return Buffer.concat([Buffer.from([kind, ...size]), content]);
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
