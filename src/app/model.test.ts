import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { drawModel } from "./draw-model.ts";
import { explain, explanationText, findFeatures, openModel } from "./model.ts";

const query = { words: ["bloom"], leavesOnly: true };

test("a system or source that the model does not name is refused with the nearest", () => {
  const unknown = (more: object, message: RegExp) =>
    assert.throws(() => findFeatures(undefined, { ...query, ...more }), { code: "NOT_FOUND", message });
  unknown({ system: "postgres" }, /no system postgres; did you mean postgresql\? \(it has clickhouse, /);
  unknown({ source: "appendixx" }, /no source appendixx; did you mean appendix\?/);
  assert.ok(findFeatures(undefined, { ...query, system: "postgresql" }).found.length > 0);
});

test("what is picked and what is left out by choice is said so", () => {
  const { explanation } = explain(undefined, "core/wal", { with: ["recovery/strategy/wal_only"], without: ["core/wal"] });
  const text = explanation === undefined ? "" : explanationText(explanation);
  assert.match(text, /recovery\/strategy\/wal_only is selected: it was picked\n/);
  assert.match(text, /core\/wal is out: it was left out by choice\n/);
});

test("a picture that cannot be is refused with the steps; the neighbourhood stands alone", () => {
  const both = ["storage/storage_model/row/heap", "storage/storage_model/col/mergetree"];
  const choice = { with: both, without: [] };
  const steps = /contradicts itself:\n {2}1\. storage\/storage_model\/row\/heap is selected/;
  assert.throws(() => drawModel(undefined, { around: false, picks: choice }), { code: "CONSTRAINT", message: steps });
  const around = { around: true, path: "core/wal" };
  const alone = { code: "INVALID_ARGUMENT", message: /are for trees/ };
  assert.throws(() => drawModel(undefined, { ...around, depth: 2 }), alone);
  assert.throws(() => drawModel(undefined, { ...around, picks: { with: [], without: [], from: "tpcc" } }), alone);
  assert.throws(() => drawModel(undefined, { around: true }), { code: "INVALID_ARGUMENT", message: /needs the path/ });
  const svg = drawModel(undefined, around);
  assert.match(svg, /the length of the file</);
  assert.match(svg, /required by \d+, referred to by \d+, cooperates with \d+</);
});

test("files that are no model are refused at once, with what is wrong", () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-model-"));
  const place = (name: string, content?: string | Buffer) => {
    const file = join(directory, name);
    if (content !== undefined) writeFileSync(file, content);
    return file;
  };
  try {
    const pipe = place("pipe.uvl");
    execFileSync("mkfifo", [pipe]);
    const refused = (file: string, code: string, message: RegExp) =>
      assert.throws(() => openModel(file), { code, message });
    refused(pipe, "INVALID_ARGUMENT", /it is a pipe and no file/);
    refused(place("latin.uvl", Buffer.from('features\n\t"k\xE4"\n', "latin1")), "INVALID_ARGUMENT", /line 2 is not UTF-8/);
    refused(place("twice.json", '{"format": "x",\n"format": "y"}'), "CORRUPTION", /twice\.json:2:1: "format" stands twice/);
    refused(place("model.txt", "x"), "INVALID_ARGUMENT", /a model is a \.uvl, \.json, \.xml \(FeatureIDE\) or \.cnf/);
    assert.equal(openModel(place("m.cnf", "p cnf 2 1\n-1 2 0\n")).edges.length, 1);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
