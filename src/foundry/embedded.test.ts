/** A library holds no line of a server, works from plain JavaScript when it is packed, and keeps its directory. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadContract } from "../contract/parse.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { buildProduct } from "./build.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "embedded", "contract.yaml");
const contract = loadContract(contractFile);

function build(use: (directory: string, root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "lathe-embedded-"));
  try {
    const directory = join(root, "notes");
    const contractText = readFileSync(contractFile, "utf8");
    buildProduct({ contract, contractText, knobCatalog: loadKnobCatalog() }, directory);
    use(directory, root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((path) => path.endsWith(".ts") && !path.startsWith("test"))
    .sort();
}

test("its files: no server, no parser, no executor, no surface; no module that opens a socket", () => {
  build((directory) => {
    const files = filesBelow(directory);
    assert.ok(files.length > 100, `${files.length} files`);
    const served = [
      "parser", "query_processing", "networking", "transport", "wire_protocol", "http", "mysql", "tls", "certificate",
      "security", "token", "serve", "prometheus", "network", "main.js", "client.ts", "kit/product.ts", "observability",
    ];
    assert.deepEqual(files.filter((path) => served.some((word) => path.includes(word))), []);
    const parts = new Set(files.filter((path) => path.startsWith("parts/")).map((path) => path.split("/")[1]));
    assert.deepEqual(
      [...parts].sort(),
      ["architecture", "concurrency", "core", "indexing", "recovery", "replication", "storage"],
    );
    const modules = new Set<string>();
    for (const path of files) {
      const text = readFileSync(join(directory, path), "utf8");
      for (const [, name] of text.matchAll(/from "(node:[^"]+)"/g)) modules.add(name);
    }
    assert.ok([...modules].every(isBuiltin));
    for (const name of ["node:net", "node:tls", "node:http", "node:https", "node:http2", "node:dgram"]) {
      assert.ok(!modules.has(name), name);
    }
  });
});

test("packed, it is plain JavaScript under node_modules, and its rows survive", () => {
  build((directory, root) => {
    const quiet = ["--disable-warning=ExperimentalWarning"];
    execFileSync(process.execPath, [...quiet, "pack.ts"], { cwd: directory });
    const { exports, files, scripts } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    assert.deepEqual([files, scripts.prepack], [["dist"], "node pack.ts"]);
    assert.deepEqual(exports["."], { types: "./dist/product.d.ts", default: "./dist/product.js" });
    const emitted = readdirSync(join(directory, "dist"), { recursive: true, encoding: "utf8" });
    assert.deepEqual(emitted.filter((path) => path.endsWith(".ts")), ["product.d.ts"]);
    for (const path of emitted.filter((one) => one.endsWith(".js"))) {
      const text = readFileSync(join(directory, "dist", path), "utf8");
      assert.doesNotMatch(text, /^(import|export|\}).*from ".*\.ts";/m, path);
    }
    mkdirSync(join(root, "app", "node_modules"), { recursive: true });
    symlinkSync(directory, join(root, "app", "node_modules", "notes"));
    const program = `import { open } from "notes";
      const store = await open(process.argv[1]);
      const row = { owner: "a", number: 1n, title: "b", body: null, attachment: Uint8Array.of(1, 2) };
      const before = store.notes.get({ owner: "a", number: 1n });
      await store.notes.put(row);
      await store.close();
      console.log(before === undefined ? "none" : before.title);`;
    const run = () => execFileSync(
      process.execPath, [...quiet, "--preserve-symlinks", "--input-type=module", "-e", program, join(root, "data")],
      { cwd: join(root, "app"), encoding: "utf8" },
    );
    assert.equal(run().trim(), "none");
    assert.equal(run().trim(), "b");
  });
});

test("knobs.yaml holds for a library too, as it is and packed, and what its program gives goes first", () => {
  build((directory, root) => {
    const file = join(directory, "knobs.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace(/^lsm\.block_bytes: .*$/m, "lsm.block_bytes: 3"));
    const quiet = ["--disable-warning=ExperimentalWarning"];
    execFileSync(process.execPath, [...quiet, "pack.ts"], { cwd: directory });
    const program = `const { open } = await import(process.argv[1]);
      const told = await open(process.argv[2]).then(() => "opened", (error) => error.message);
      const store = await open(process.argv[2], { knobs: { "lsm.block_bytes": 1024 } });
      await store.close();
      console.log(told);`;
    for (const entry of ["product.ts", "dist/product.js"]) {
      const line = [...quiet, "--input-type=module", "-e", program, join(directory, entry), join(root, "data")];
      const told = execFileSync(process.execPath, line, { encoding: "utf8" });
      assert.match(told, /lsm\.block_bytes: expected at least 512, found 3/, entry);
    }
  });
});
