import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { LatheError } from "../kit/errors.ts";
import { fail } from "./command-frame.ts";

/** What `fail` prints as JSON, with the exit code that it sets. */
function failure(error: unknown): { code: string; message: string; exitCode: number } {
  const { write } = process.stdout;
  const { write: writeError } = process.stderr;
  let text = "";
  process.stdout.write = (part: string | Uint8Array) => (text += String(part)) !== "";
  process.stderr.write = () => true;
  try {
    fail(error, true);
  } finally {
    process.stdout.write = write;
    process.stderr.write = writeError;
  }
  const { error: told } = JSON.parse(text) as { error: ReturnType<typeof failure> };
  assert.equal(process.exitCode, told.exitCode);
  process.exitCode = 0;
  return told;
}

test("what the system says, and no command has put in its own words, has a code and names the file", () => {
  let thrown: unknown;
  try {
    readFileSync(tmpdir());
  } catch (error) {
    thrown = Object.assign(error as Error, { path: tmpdir() });
  }
  const { code, message, exitCode } = failure(thrown);
  assert.deepEqual([code, exitCode], ["INVALID_ARGUMENT", 2]);
  assert.equal(message, `cannot read ${tmpdir()}: it is a directory`);
  assert.deepEqual(failure(new LatheError("LIMIT_EXCEEDED", "too large")).exitCode, 2);
  assert.deepEqual(failure(new Error("a mistake of ours")).exitCode, 1);
});
