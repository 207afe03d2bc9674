/**
 * What the repo's laws look at: files under version control or about to be, and the imports between
 * them.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";

export const root = join(import.meta.dirname, "..");

/** Paths relative to the root, tracked or untracked, without what git ignores; sorted. */
export function repositoryFiles(): string[] {
  const output = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  return [...new Set(output.split("\0"))].filter((path) => path !== "" && existsSync(join(root, path))).sort();
}

export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export interface Import {
  readonly source: string;
  /** A path relative to the root for relative imports, else the specifier. */
  readonly target: string;
  readonly line: number;
}

const importPattern = new RegExp(
  [
    String.raw`(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*["']([^"']+)["']`,
    String.raw`(?:^|\n)\s*import\s*["']([^"']+)["']`,
    String.raw`import\(\s*["']([^"']+)["']\s*\)`,
    String.raw`new URL\(\s*["'](\.[^"']+)["']`,
  ].join("|"),
  "g",
);

/** Imports of one file: static, side-effect, dynamic with a literal, and `new URL("./x.ts", …)`. */
export function importsOf(source: string, text = readText(source)): Import[] {
  return [...text.matchAll(importPattern)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? match[4];
    const target = specifier.startsWith(".") ? posix.join(dirname(source), specifier) : specifier;
    return { source, target, line: text.slice(0, match.index + 1).split("\n").length };
  });
}

/** The room of a path below `src/`, or undefined. */
export function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

const evidence = /\.(test|bench|fuzz|conformance|fixture)\.ts$/;

/** Tests, what they share, benchmarks, fuzzers and conformance suites. */
export function isEvidence(path: string): boolean {
  return evidence.test(path);
}
