/**
 * TLS of a served product: which certificate, and whether clients must use it.
 *
 *   | --tls     | on loopback                                   | beyond loopback                          |
 *   |-----------|-----------------------------------------------|------------------------------------------|
 *   | auto      | offered where files were given, else none     | required; self-made where none was given |
 *   | off       | none                                          | refused at the start                     |
 *   | offered   | offered; self-made where none was given       | required                                 |
 *   | required  | required; self-made where none was given      | required                                 |
 *
 * A self-made certificate is kept in the data directory (`tls-certificate.pem`, `tls-key.pem`, the key readable by its
 * owner alone), so that clients can be given it once.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import type { Clock, Random, TlsIdentity } from "./env/env.ts";
import { LatheError } from "./errors.ts";
import { isLoopback } from "./loopback.ts";
import { createSelfSignedIdentity } from "./self-signed-certificate.ts";

export const tlsModes = ["auto", "off", "offered", "required"] as const;

export type TlsMode = (typeof tlsModes)[number];

export interface TlsRequest {
  readonly mode: TlsMode;
  readonly host: string;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
}

export interface TlsInForce {
  readonly identity: TlsIdentity;
  readonly required: boolean;
}

/** Undefined: no TLS. Errors: INVALID_ARGUMENT, NOT_FOUND, PERMISSION, IO_ERROR. */
export function tlsInForce(
  dataDirectory: string,
  request: TlsRequest,
  env: { readonly clock: Clock; readonly random: Random },
): TlsInForce | undefined {
  const { mode, host, certificateFile, keyFile } = request;
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    throw new LatheError("INVALID_ARGUMENT", "--tls-cert and --tls-key are given together");
  }
  const near = isLoopback(host);
  if (mode === "off") {
    if (near) return undefined;
    throw new LatheError(
      "INVALID_ARGUMENT",
      `--tls off with --host ${host}: beyond loopback clients must use TLS; leave --tls out, or listen on 127.0.0.1`,
    );
  }
  const given = certificateFile !== undefined && keyFile !== undefined;
  if (mode === "auto" && near && !given) return undefined;
  const identity = given ? identityOfFiles(certificateFile, keyFile) : selfMade(dataDirectory, env);
  return { identity, required: mode === "required" || !near };
}

function identityOfFiles(certificateFile: string, keyFile: string): TlsIdentity {
  const identity = { certificatePem: readText(certificateFile), privateKeyPem: readText(keyFile) };
  try {
    createSecureContext({ cert: identity.certificatePem, key: identity.privateKeyPem });
  } catch (cause) {
    throw new LatheError(
      "INVALID_ARGUMENT",
      `${certificateFile} and ${keyFile} are no certificate with its key in PEM form: ${(cause as Error).message}`,
      { cause },
    );
  }
  return identity;
}

function selfMade(dataDirectory: string, env: { readonly clock: Clock; readonly random: Random }): TlsIdentity {
  const certificateFile = join(dataDirectory, "tls-certificate.pem");
  const keyFile = join(dataDirectory, "tls-key.pem");
  if (existsSync(certificateFile) && existsSync(keyFile)) return identityOfFiles(certificateFile, keyFile);
  const identity = createSelfSignedIdentity({
    commonName: "localhost",
    dnsNames: ["localhost"],
    addresses: ["127.0.0.1"],
    nowMs: env.clock.nowMs(),
    serial: env.random.bytes(16),
  });
  try {
    writeFileSync(keyFile, identity.privateKeyPem, { mode: 0o600, flush: true });
    writeFileSync(certificateFile, identity.certificatePem, { mode: 0o644, flush: true });
  } catch (cause) {
    const message = `cannot keep the self-made certificate in ${dataDirectory}: ${(cause as Error).message}`;
    throw new LatheError("IO_ERROR", message, { cause });
  }
  return identity;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "NOT_FOUND" : "PERMISSION";
    throw new LatheError(code, `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
