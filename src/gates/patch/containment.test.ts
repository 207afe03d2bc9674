/** A product that behaves is admitted; what hangs, grows, ends, writes elsewhere or asks for the network is named. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadContract } from "../../contract/parse.ts";
import { buildProduct } from "../../foundry/build.ts";
import { loadKnobCatalog } from "../../knobs/catalog.ts";
import type { GateVerdict } from "../gate.ts";
import { containmentGate } from "./containment-gate.ts";
import { trespassesOf } from "./containment-trace.ts";
import { sourceLawGate } from "./source-law-gate.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-containment-"));
const product = join(scratch, "product");
const contractFile = join(import.meta.dirname, "..", "..", "..", "examples", "taobench-o", "contract.yaml");
const patched = "parts/core/wal/wal.ts";
const skip = spawnSync("strace", ["-V"]).status === 0 ? false : "strace is not installed";

before(() => {
  const contractText = readFileSync(contractFile, "utf8");
  buildProduct({ contract: loadContract(contractFile), contractText, knobCatalog: loadKnobCatalog() }, product);
});
after(() => rmSync(scratch, { recursive: true, force: true }));

let copies = 0;

/** The product with a few lines more at the end of a module, in a directory of its own. */
function withLines(lines: string, path = patched): { productDirectory: string; workDirectory: string } {
  const home = join(scratch, `copy-${copies++}`);
  const productDirectory = join(home, "product");
  const workDirectory = join(home, "work");
  cpSync(product, productDirectory, { recursive: true });
  mkdirSync(workDirectory);
  appendFileSync(join(productDirectory, path), `\n${lines}\n`);
  return { productDirectory, workDirectory };
}

function contained(lines: string, limits = { secondsMax: 60, memoryMiBMax: 1024 }): Promise<GateVerdict> {
  return containmentGate(limits).run({ ...withLines(lines), knobs: {}, seed: 1 });
}

test("a product as built comes to its end within its limits", { skip }, async () => {
  const { verdict, reason } = await contained("");
  assert.equal(verdict, "admit", reason);
  assert.match(reason, /loaded, opened, wrote, read and closed/);
});

const waitForEver = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);";
const unlisted = join(scratch, "unlisted");
const offences: readonly (readonly [string, string, RegExp])[] = [
  ["ends the process while it is loaded", "process.exit(0);", /ends the process, with exit code 0 \(loading it\)/],
  ["throws while it is loaded", 'throw new Error("planted");', /it fails \(loading it\): planted/],
  ["hangs", waitForEver, /did not come to an end within 15 s \(loading it\)/],
  [
    "takes memory",
    // Not more than the machine has, however late it is noticed.
    `for (const kept: Uint8Array[] = []; kept.length < 50;) kept.push(new Uint8Array(1 << 24).fill(1)); ${waitForEver}`,
    /more than 400 MiB of memory \(loading it\)/,
  ],
  [
    "writes outside of its directory",
    `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(unlisted)}, "x");`,
    /changes files outside of its directory: openat .*unlisted/,
  ],
  [
    "asks for the network",
    'import { connect } from "node:net"; connect(9, "192.0.2.1").on("error", () => {}).unref();',
    /asks for the network: connect to 192\.0\.2\.1:9/,
  ],
  [
    "starts a program",
    'import { spawnSync } from "node:child_process"; spawnSync("true");',
    /starts another program/,
  ],
];

for (const [what, lines, reason] of offences) {
  test(`a product that ${what} is rejected by name`, { skip }, async () => {
    const found = await contained(lines, { secondsMax: what === "hangs" ? 15 : 60, memoryMiBMax: 400 });
    assert.equal(found.verdict, "reject", found.reason);
    assert.match(found.reason, reason);
  });
}

test("what ran stood outside of our own directories only where it was told of", () => {
  assert.equal(existsSync(unlisted), !skip, "it is watched, not confined");
});

test("a trace is read for what was tried, too", () => {
  const trace = [
    '100 execve("/usr/bin/node", ["node"], 0x7 /* 3 vars */) = 0',
    '100 openat(AT_FDCWD</w>, "/w/data/a.sst", O_RDWR|O_CREAT, 0666) = 3</w/data/a.sst>',
    '100 openat(AT_FDCWD</w>, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 4</etc/hosts>',
    '101 openat(AT_FDCWD</w>, "/etc/passwd", O_WRONLY) = -1 EACCES (Permission denied)',
    '101 unlink("/w/data/../x") = 0',
    '101 rename("/w/data/a", "/tmp/b") = 0',
    '101 connect(5<socket:[1]>, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.2")}, 16) = -1',
    '101 kill(1, SIGKILL) = -1 EPERM',
    '101 execve("/bin/sh", ["sh"], 0x7) = 0',
  ].join("\n");
  assert.deepEqual(trespassesOf(trace, ["/w/data"]).map(({ kind, what }) => [kind, what.slice(0, 24)]), [
    ["file", "openat /etc/passwd"],
    ["file", "unlink /w/data/../x"],
    ["file", "rename /tmp/b"],
    ["network", "connect to 10.0.0.2:53"],
    ["process", "kill(1, SIGKILL) = -1 EP"],
    ["program", '"/bin/sh", ["sh"], 0x7) '],
  ]);
});

test("what a patch adds keeps the laws of products, or is named with its line", async () => {
  const judge = async (lines: string, path = patched) => {
    const { productDirectory, workDirectory } = withLines(lines, path);
    const patch = { files: [{ path, kind: "modify" as const }], linesAdded: 1, linesRemoved: 0 };
    return sourceLawGate(product, patch).run({ productDirectory, workDirectory, knobs: {}, seed: 1 });
  };
  assert.equal((await judge("export const added = 1; // new Date() in a comment")).verdict, "admit");
  const offending: readonly (readonly [string, RegExp])[] = [
    ["export const now = Date.now();", /wal\.ts:\d+ asks another clock/],
    ["export const luck = Math.random();", /draws chance/],
    ["process.exit();", /reaches for the process/],
    ['await fetch("http://192.0.2.1/");', /reaches for the network/],
    ['import { readFileSync } from "node:fs";', /imports node:fs/],
    ['import { parse } from "yaml";', /imports yaml, which is no file of the product/],
    ['import { a } from "./nowhere.ts";', /does not exist/],
    ['export const run = new Function("return 1");', /makes code of text/],
    ['export const load = (name: string) => import(name);', /computed name/],
    ["export const broken = ;", /does not parse/],
  ];
  for (const [lines, reason] of offending) {
    const found = await judge(lines);
    assert.equal(found.verdict, "reject", lines);
    assert.match(found.reason, reason);
  }
  assert.equal((await judge("export const now = Date.now();", "kit/env/node-clock.ts")).verdict, "admit");
});
