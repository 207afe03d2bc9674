/** Finds the journal that a person means: the file itself, or the study's directory. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { LatheError } from "../kit/errors.ts";

/** Errors: NOT_FOUND. */
export function findJournal(path: string): string {
  const places = [path, join(path, "study", "journal.ndjson"), join(path, "journal.ndjson")];
  const found = places.find((place) => existsSync(place) && statSync(place).isFile());
  if (found !== undefined) return found;
  const expected = "a journal.ndjson, or the --out directory of a run";
  throw new LatheError("NOT_FOUND", `${path} holds no study: expected ${expected}`);
}
