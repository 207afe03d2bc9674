/**
 * The password of a product's one user: from LATHE_PASSWORD, or from the file that the first run wrote,
 * or made now. The secret that tokens are signed with: from its file, or made now.
 *
 * A generated password is stored in `password` of the data directory, readable by its owner alone, and
 * shown once; the secret in `token-secret`, and never shown. Removing that file makes every token invalid.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "./env/env.ts";
import { LatheError } from "./errors.ts";

const fileName = "password";
const secretFileName = "token-secret";
const secretBytes = 32;
const alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const generatedLength = 24;
const lengthMax = 256;

export interface PasswordInForce {
  readonly password: string;
  readonly source: "environment" | "file" | "generated";
  /** Where a generated or stored password is kept. */
  readonly file: string;
}

/** Errors: INVALID_ARGUMENT, PERMISSION, IO_ERROR. */
export function passwordInForce(
  dataDirectory: string,
  environment: Readonly<Record<string, string | undefined>>,
  random: Random,
): PasswordInForce {
  const file = join(dataDirectory, fileName);
  const given = environment.LATHE_PASSWORD;
  if (given !== undefined) {
    if (given === "" || given.length > lengthMax) {
      throw new LatheError(
        "INVALID_ARGUMENT",
        `LATHE_PASSWORD must have 1 to ${lengthMax} characters; unset it to have one made`,
      );
    }
    return { password: given, source: "environment", file };
  }
  const stored = readStored(file);
  if (stored !== undefined) return { password: stored, source: "file", file };
  const password = generatePassword(random);
  writeSecretFile(file, password);
  return { password, source: "generated", file };
}

export function generatePassword(random: Random): string {
  let password = "";
  while (password.length < generatedLength) {
    for (const byte of random.bytes(generatedLength * 2)) {
      // Bytes past the last whole multiple of the alphabet would favour its first letters.
      if (byte < 256 - (256 % alphabet.length) && password.length < generatedLength) {
        password += alphabet[byte % alphabet.length];
      }
    }
  }
  return password;
}

/** Errors: PERMISSION, INVALID_ARGUMENT, IO_ERROR. */
export function tokenSecretInForce(dataDirectory: string, random: Random): Uint8Array {
  const file = join(dataDirectory, secretFileName);
  const stored = readStored(file);
  if (stored === undefined) {
    const secret = Buffer.from(random.bytes(secretBytes));
    writeSecretFile(file, secret.toString("base64url"));
    return secret;
  }
  const secret = Buffer.from(stored, "base64url");
  if (secret.length >= secretBytes) return secret;
  throw new LatheError("INVALID_ARGUMENT", `${file} holds no secret; remove it to have a new one made`);
}

function readStored(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new LatheError("PERMISSION", `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
  try {
    const status = fstatSync(descriptor);
    if (process.platform !== "win32" && (status.mode & 0o077) !== 0) {
      throw new LatheError("PERMISSION", `${file} can be read by other users; run \`chmod 600 ${file}\``);
    }
    const password = status.size > lengthMax * 4 ? "" : readFileSync(descriptor, "utf8").trim();
    if (password === "" || password.length > lengthMax) {
      throw new LatheError("INVALID_ARGUMENT", `${file} holds no secret; remove it to have a new one made`);
    }
    return password;
  } finally {
    closeSync(descriptor);
  }
}

/** A new file that its owner alone may read. Errors: IO_ERROR, also where it is there. */
export function writeSecretFile(file: string, password: string): void {
  try {
    const descriptor = openSync(file, "wx", 0o600);
    try {
      writeSync(descriptor, `${password}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new LatheError(
      "IO_ERROR",
      `cannot write ${file}: ${(cause as Error).message}`,
      { cause },
    );
  }
}
