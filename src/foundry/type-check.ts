/**
 * Checks the types of an assembled product before anything of it is written in place.
 *
 * Parts of the library are checked with Lathe; this is for products that hold parts of somebody else. The files are
 * laid into a temporary directory and given to TypeScript's compiler as the product's own `tsconfig.json` has it,
 * without its tests, which may need packages.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { LatheError } from "../kit/errors.ts";
import { removeAbandoned } from "./abandoned-directories.ts";

const timeoutMs = 120_000;
const linesMax = 40;
const directoryPrefix = "lathe-types-";

/** Errors: INVALID_ARGUMENT with the compiler's lines; UNAVAILABLE without a compiler; TIMEOUT; CANCELLED; JOB_LOST. */
export function checkTypes(files: ReadonlyMap<string, string>, whose: readonly string[]): void {
  const compiler = findPackage("typescript");
  const nodeTypes = findPackage("@types/node");
  if (compiler === undefined || nodeTypes === undefined) {
    const message = `your parts ${whose.join(", ")} are checked by TypeScript's compiler, which is not here; ` +
      "install it where you run Lathe: npm install --save-dev typescript @types/node";
    throw new LatheError("UNAVAILABLE", message);
  }
  removeAbandoned(tmpdir(), directoryPrefix);
  const directory = mkdtempSync(join(tmpdir(), `${directoryPrefix}${process.pid}-`));
  try {
    for (const [path, text] of files) {
      if (!path.endsWith(".ts") || path.startsWith("test/")) continue;
      const file = join(directory, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const settings = JSON.parse(files.get("tsconfig.json") ?? "{}") as { compilerOptions?: object };
    const compilerOptions = { ...settings.compilerOptions, typeRoots: [dirname(nodeTypes)] };
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["**/*.ts"] }));
    writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
    const run = spawnSync(process.execPath, [join(compiler, "bin", "tsc"), "--pretty", "false", "-p", directory], {
      cwd: directory, encoding: "utf8", timeout: timeoutMs, maxBuffer: 64 << 20,
    });
    if (run.status === 0) return;
    if (run.signal === "SIGINT" || run.signal === "SIGTERM" && run.error === undefined) {
      throw new LatheError("CANCELLED", "stopped while types were checked; nothing was written");
    }
    if (run.signal !== null && run.error === undefined) {
      const message = `the compiler that checks your parts was ended by ${run.signal} (out of memory?); build again`;
      throw new LatheError("JOB_LOST", message);
    }
    if (run.error !== undefined) {
      throw new LatheError("TIMEOUT", `types were not checked within ${timeoutMs / 1000} s`, { cause: run.error });
    }
    const lines = `${run.stdout}${run.stderr}`.trim().split("\n");
    const more = lines.length > linesMax ? [`… and ${lines.length - linesMax} more`] : [];
    const shown = [...lines.slice(0, linesMax), ...more].map((line) => `  ${line}`).join("\n");
    const message = `with ${whose.join(", ")} the product does not type-check; nothing was written:\n${shown}`;
    throw new LatheError("INVALID_ARGUMENT", message, { details: { parts: whose, compiler: lines } });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Lathe's own, or the one of the project in which it runs. */
function findPackage(name: string): string | undefined {
  for (const base of [import.meta.filename, join(process.cwd(), "package.json")]) {
    try {
      return dirname(createRequire(base).resolve(`${name}/package.json`));
    } catch {
      // Looked for in the next place.
    }
  }
  return undefined;
}
