/**
 * Use case: a stranger's patch over the product of a contract, applied to a copy and judged.
 */
import { createHash } from "node:crypto";
import { cpSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import type { Gate } from "../gates/gate.ts";
import { applyPatchText, type PatchSummary } from "../gates/patch/apply-patch.ts";
import { containmentGate, containmentLimits, containmentStatement } from "../gates/patch/containment-gate.ts";
import { patchScope } from "../gates/patch/patch-rules.ts";
import { sourceLawGate } from "../gates/patch/source-law-gate.ts";
import { patchBytesMax, patchFilesMax } from "../gates/patch/unified-diff.ts";
import { compiledCodeName } from "../foundry/wiring/main-module.ts";
import { LatheError } from "../kit/errors.ts";

export interface PatchedProduct {
  /** The copy with the patch. */
  readonly directory: string;
  readonly summary: PatchSummary;
}

/**
 * Copies the product and applies the patch to the copy. Errors: NOT_FOUND; INVALID_ARGUMENT where the patch is refused
 * or does not apply, with every reason.
 */
export function patchedCopy(product: string, patchFile: string, work: string): PatchedProduct {
  const patch = readPatch(patchFile);
  const directory = join(work, "patched");
  cpSync(product, directory, { recursive: true });
  try {
    return { directory, summary: applyPatchText(patch, directory) };
  } catch (cause) {
    if (!(cause instanceof LatheError)) throw cause;
    const { code, message, details } = cause;
    const text = `${patchFile} is refused, and nothing of it was applied:\n${message}`;
    throw new LatheError(code, text, { cause, details });
  }
}

function readPatch(patchFile: string): Uint8Array {
  const path = resolve(patchFile);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new LatheError("NOT_FOUND", `${patchFile} does not exist`);
  if (found.isDirectory()) throw new LatheError("INVALID_ARGUMENT", `${patchFile} is a directory; name a patch file`);
  if (found.size > patchBytesMax) {
    throw new LatheError("INVALID_ARGUMENT", `${patchFile} has ${found.size} bytes; at most ${patchBytesMax} are read`);
  }
  return readFileSync(path);
}

export interface PatchLimits {
  /** For the run in which the patch is alone. */
  readonly secondsMax?: number | undefined;
  readonly memoryMiBMax?: number | undefined;
}

/** The gates that a patch must pass before those of every product. */
export function patchGates(original: string, patch: PatchSummary, limits: PatchLimits): Gate[] {
  const { secondsMax = containmentLimits.secondsMax, memoryMiBMax = containmentLimits.memoryMiBMax } = limits;
  return [sourceLawGate(original, patch), containmentGate({ secondsMax, memoryMiBMax })];
}

/** Gates of patches alone, with what they say of themselves, and the rules; for help. */
export function describePatches(): { readonly gates: readonly Gate[]; readonly rules: readonly string[] } {
  const nothing: PatchSummary = { files: [], linesAdded: 0, linesRemoved: 0 };
  return {
    gates: patchGates("", nothing, {}),
    rules: [
      `A patch may change ${patchScope}. It is a unified diff as git writes it, relative to the product, of at most ` +
        `${patchBytesMax >> 20} MiB and ${patchFilesMax} files; hunks must match exactly (no fuzz). Binary changes, ` +
        "links, modes, renames and paths outside are refused, with exit code 2.",
      containmentStatement,
    ],
  };
}

/**
 * A hash over all files of a directory: what a check must leave as it was. Where the product is started meanwhile, it
 * may keep compiled code, which is left out (`.cache`, by `main.js`).
 */
export function directoryHash(directory: string, isStarted = true): string {
  const hash = createHash("sha256");
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  for (const name of names) {
    if (isStarted && name.startsWith(compiledCodeName + sep)) continue;
    const path = join(directory, name);
    if (!lstatSync(path).isFile()) continue;
    hash.update(`${name}\0`).update(readFileSync(path));
  }
  return hash.digest("hex");
}
