/**
 * A product that somebody is about to use: it is there, or was put aside by a build that was killed and is brought
 * back; else the error says what to do.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { errorCodeOf, LatheError } from "../kit/errors.ts";
import { bringBackProduct, productPutAside } from "./product-directory.ts";
import { manifestPath } from "./product-manifest.ts";

/** What starts a server; products of earlier versions have the second. */
const programNames = ["main.js", "main.ts"];

/** Errors: NOT_FOUND; LOCKED while a build works there. */
export function requireProduct(directory: string): void {
  bringBack(directory);
  if (!existsSync(join(directory, manifestPath))) throw noProduct(directory, manifestPath);
}

/** The file that Node is to run. Errors: those of `requireProduct`; INVALID_ARGUMENT for a library. */
export function productProgram(directory: string): string {
  bringBack(directory);
  const programs = programNames.map((name) => join(directory, name));
  const program = programs.find((path) => existsSync(path));
  if (program !== undefined) return program;
  if (existsSync(join(directory, "pack.ts"))) {
    const use = "a program imports `open` from it (see its README.md), and `npm pack` there packs it";
    throw new LatheError("INVALID_ARGUMENT", `${directory} is a library without a server: ${use}`);
  }
  throw noProduct(directory, programNames[0]);
}

/** Where it cannot be written, the one that was put aside is named. */
function bringBack(directory: string): void {
  try {
    bringBackProduct(directory);
  } catch (error) {
    const aside = productPutAside(directory);
    if (aside === undefined || errorCodeOf(error) === "LOCKED") throw error;
    const message = `a build that was interrupted left the product of ${directory} as ${aside}, and it cannot be ` +
      `moved back (${(error as Error).message}); rename it, or build again where that can be written`;
    throw new LatheError(errorCodeOf(error) ?? "IO_ERROR", message, { cause: error });
  }
}

function noProduct(directory: string, lacks: string): LatheError {
  const [hasManifest, hasWiring] = [manifestPath, "product.ts"].map((path) => existsSync(join(directory, path)));
  const way = hasManifest
    ? "`lathe build CONTRACT --out DIR --force` writes again what is missing"
    : hasWiring
      ? "it looks like a copy of a part of one; copy it whole, .lathe/ too"
      : "`lathe build CONTRACT --out DIR` makes one";
  return new LatheError("NOT_FOUND", `${directory} holds no product (there is no ${lacks}): ${way}`);
}
