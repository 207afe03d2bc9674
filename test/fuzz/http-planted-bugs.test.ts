/** The HTTP fuzzer finds faults planted in the core: each of a kind that servers have had. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { sourceClosure } from "../../src/foundry/source-closure.ts";
import { directoryTree } from "../../src/foundry/source-tree.ts";

const root = join(import.meta.dirname, "..", "..", "src");
const folder = "parts/architecture/networking/transports/http";
const fuzzer = `${folder}/http-fuzzer.fixture.ts`;
const batchesMax = 60;

interface PlantedBug {
  readonly what: string;
  readonly file: string;
  readonly old: string;
  readonly new: string;
}

const bugs: readonly PlantedBug[] = [
  {
    what: "both Content-Length and Transfer-Encoding", file: "request-head.ts",
    old: "if (lengths + codings > 1) return", new: "if (lengths > 1 || codings > 1) return",
  },
  { what: "a sign before Content-Length", file: "request-head.ts", old: "!/^\\d+$/.test(text)", new: "!/^[+-]?\\d+$/.test(text)" },
  {
    what: "codings that end with chunked", file: "request-head.ts",
    old: '?.toLowerCase() !== "chunked"', new: '?.toLowerCase().endsWith("chunked") !== true',
  },
  {
    what: "a space before the colon", file: "request-head.ts",
    old: "if (at === start || at === end || bytes[at] !== colon)",
    new: "while (at > start && at < end && bytes[at] === space) at++;\n    if (at === start || at === end || bytes[at] !== colon)",
  },
  { what: "two Hosts", file: "request-head.ts", old: "if (hosts > 1 || (", new: "if ((" },
  { what: "control characters in fields", file: "request-head.ts", old: "if (code === 0x09 || (code >= 0x20", new: "if (code === 0 || code === 0x0b || code === 0x09 || (code >= 0x20" },
  {
    what: "lines that end with LF alone", file: "request-reader.ts",
    old: "if (feed === at || bytes[feed - 1] !== carriageReturn) {",
    new: "if (feed === at || bytes[feed - 1] !== carriageReturn) {\n      const bare = this.#takeLine(bytes, at, feed);\n      if (bare === undefined) return feed + 1;",
  },
  { what: "anything behind a chunk's digits", file: "request-reader.ts", old: "if (at < end && bytes[at] !== 0x3b) return", new: "if (false) return" },
  { what: "chunks longer than their size", file: "request-reader.ts", old: "    this.#state = \"chunk size\";\n    return at + 2;", new: "    this.#state = \"chunk size\";\n    return at + (end - at > 2 && bytes[at + 2] === 0x0d ? 3 : 2);" },
  { what: "a rest of a line that is scanned twice", file: "request-reader.ts", old: "      this.#scanned = length;", new: "      this.#scanned = length + 1;" },
  { what: "requests behind a refusal", file: "http-protocol.ts", old: "if (this.#closing) this.#close();", new: "if (this.#closing && this.#served % 2 === 0) this.#close();" },
  { what: "memory that is kept", file: "http-protocol.ts", old: "    this.#inbound.release();\n    this.#body.release();", new: "    this.#body.release();" },
];

interface Fuzzer {
  fuzzHttp(seed: number, counts: unknown): Promise<void>;
  emptyHttpCounts(): unknown;
}

/** The fuzzer over a copy of the sources with a fault in them. */
async function plant(bug: PlantedBug, directory: string): Promise<Fuzzer> {
  for (const path of sourceClosure(directoryTree(root), [fuzzer])) {
    const text = readFileSync(join(root, path), "utf8");
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    if (path !== `${folder}/${bug.file}`) writeFileSync(target, text);
    else {
      assert.equal(text.split(bug.old).length, 2, `${bug.what}: its text stands once in ${bug.file}`);
      writeFileSync(target, text.replace(bug.old, () => bug.new));
    }
  }
  return (await import(pathToFileURL(join(directory, fuzzer)).href)) as Fuzzer;
}

for (const bug of bugs) {
  test(`it finds ${bug.what}`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "lathe-http-bug-"));
    try {
      const { fuzzHttp, emptyHttpCounts } = await plant(bug, directory);
      let found: string | undefined;
      const counts = emptyHttpCounts();
      for (let seed = 1; found === undefined && seed <= batchesMax; seed++) {
        found = await fuzzHttp(seed, counts).then(() => undefined, (error: Error) => error.message);
      }
      assert.ok(found !== undefined, `${batchesMax} batches found nothing`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}
