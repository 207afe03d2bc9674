import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Mutant } from "./mutant.ts";
import { mutantScope } from "./mutant-scope.ts";

const product = mkdtempSync(join(tmpdir(), "lathe-scope-"));
const engine = "parts/storage/engine.ts";
const statement = "parts/query_processing/executor.ts";
for (const file of [engine, statement]) {
  mkdirSync(join(product, file, ".."), { recursive: true });
  writeFileSync(join(product, file), "");
}
after(() => rmSync(product, { recursive: true, force: true }));

const fault = (file: string, ...expectedGates: string[]): Mutant => ({
  name: "x", planted: true, description: "x", twin: "y", expectedGates, edits: [{ file, find: "a", replace: "b" }],
});

test("over HTTP a fault is looked for by the gates that ask the same, and left out where nobody can reach it", () => {
  const scope = (mutant: Mutant) => mutantScope(mutant, product, ["http"]);
  const found = scope(fault(engine, "load", "differential-small", "metamorphic", "indexes"));
  assert.deepEqual(found, { expectedGates: ["http-load", "http-differential", "metamorphic"], reason: undefined });
  assert.match(scope(fault(statement, "load")).reason ?? "", /only SQL goes through .*executor/);
  assert.match(scope(fault("parts/none.ts", "load")).reason ?? "", /has no parts\/none/);
  assert.match(scope(fault(engine, "indexes")).reason ?? "", /none of the product's gates/);
  const benign = { ...fault(engine), planted: false, twin: undefined };
  assert.equal(scope(benign).reason, undefined);
});

test("over MySQL nothing changes", () => {
  const { expectedGates, reason } = mutantScope(fault(statement, "load", "http-load"), product, ["mysql"]);
  assert.deepEqual([expectedGates, reason], [["load"], undefined]);
});

test("of a library a fault is looked for by the gates that ask the same of one", () => {
  const { expectedGates, reason } = mutantScope(fault(engine, "kill-9", "flush-audit", "load"), product, ["embedded"]);
  assert.deepEqual([expectedGates, reason], [["library-kill-9", "library-flush-audit"], undefined]);
  assert.match(mutantScope(fault(engine, "load"), product, ["embedded"]).reason ?? "", /none of the product's gates/);
});
