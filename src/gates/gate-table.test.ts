import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  candidateGates, gatesOf, httpCandidateGates, httpProductGates, libraryGates, productGates,
} from "./gate-table.ts";

test("names are unique, stages are right", () => {
  const gates = [...gatesOf(["mysql", "http"], "product"), ...gatesOf(["mysql", "http"], "candidate")];
  assert.equal(new Set(gates.map(({ name }) => name)).size, gates.length);
  for (const stage of ["product", "candidate"] as const) {
    for (const protocols of [["mysql"], ["http"]]) {
      const listed = gatesOf(protocols, stage);
      assert.ok(listed.length >= 3 && listed.every((gate) => gate.stage === stage));
    }
  }
});

test("the architecture's table of gates has these gates in this order", () => {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "ARCHITECTURE.md"), "utf8");
  const found = text.matchAll(/^\| `([a-z0-9-]+)` \| (product|candidate) \|/gm);
  const rows = [...found].map(([, name, stage]) => [name, stage]);
  // Those that look at parts alone stand there once, with the gates of a server.
  const ofLibraries = libraryGates().filter(({ name }) => name.startsWith("library-"));
  const overHttp = [...httpProductGates(1, false), ...httpCandidateGates()];
  const all = [...productGates(), ...candidateGates(), ...overHttp, ...ofLibraries];
  const expected = all.map(({ name, stage }) => [name, stage]);
  assert.deepEqual(rows, expected);
});
