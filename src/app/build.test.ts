/** `lathe build` from its request: selections of files and flags, dry runs, and input that leaves nothing behind. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildFromContract, type BuildRequest, surveyFromContract } from "./build.ts";
import { planFor } from "./plan.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "taobench-o", "contract.yaml");
const contractText = readFileSync(contractFile, "utf8");
const metrics = "architecture/observability/metrics_endpoint";
const without = { with: [], without: ["architecture/observability"] };

function inDirectory(use: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "lathe-build-request-"));
  try {
    use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const leavesOf = (product: string) =>
  (JSON.parse(readFileSync(join(product, "selection.json"), "utf8")) as { leaves: string[] }).leaves;

test("flags, and a selection written before, build the same product; its plan is that of lathe plan", () => {
  inDirectory((directory) => {
    const flagged = join(directory, "flagged");
    const report = buildFromContract({ contractFile, directory: flagged, overrides: without });
    assert.ok(!leavesOf(flagged).includes(metrics));
    assert.doesNotMatch(readFileSync(join(flagged, "product.ts"), "utf8"), /openMetricsEndpoint/);
    assert.match(readFileSync(join(flagged, "README.md"), "utf8"), /`architecture\/observability`: was left out on request/);
    // A product's own selection is one, too.
    const selectionFile = join(flagged, "selection.json");
    const again = buildFromContract({ contractFile, directory: flagged, selectionFile });
    assert.equal(again.selectionHash, report.selectionHash);
    assert.deepEqual([again.filesUnchanged, again.changes], [report.files, { added: [], changed: [], removed: [] }]);
    const plan = JSON.parse(readFileSync(join(flagged, "plan.json"), "utf8")) as { hash: string; leaves: number };
    assert.equal(plan.hash, planFor(contractFile, "strict", without).hash);
    assert.deepEqual([report.layers > 1, report.contracts > 0, report.leaves], [true, true, plan.leaves]);
    assert.equal(planFor(flagged, "strict").hash, plan.hash);
    assert.throws(() => planFor(flagged, "strict", without), { code: "INVALID_ARGUMENT", message: /a selection already/ });
  });
});

test("a dry run tells what a build then does, and writes nothing", () => {
  inDirectory((directory) => {
    const request: BuildRequest = { contractFile, directory: join(directory, "store") };
    const survey = surveyFromContract(request);
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(survey.filesAdded, survey.files);
    assert.equal(buildFromContract(request).filesAdded, survey.files);
    const next = { ...request, overrides: without };
    const { changes, filesUnchanged } = surveyFromContract(next);
    assert.ok(filesUnchanged > 200);
    assert.deepEqual(changes?.added, []);
    assert.ok(changes.changed.includes("product.ts") && !changes.changed.includes("kit/errors.ts"));
    assert.ok(changes.removed.some((path) => path.startsWith(`parts/${metrics}/`)));
    assert.deepEqual(buildFromContract(next).changes, changes);
    writeFileSync(join(request.directory, "product.ts"), "mine");
    assert.throws(() => surveyFromContract(next), { code: "ALREADY_EXISTS", message: /product\.ts \(edited\)/ });
    assert.deepEqual(surveyFromContract({ ...next, force: true }).setAside, [{ path: "product.ts", kind: "edited" }]);
    assert.equal(readFileSync(join(request.directory, "product.ts"), "utf8"), "mine");
  });
});

test("input that cannot be built is refused, and nothing is left", () => {
  inDirectory((directory) => {
    const refused = (changes: Partial<BuildRequest>, code: string, message: RegExp, text = contractText) => {
      const file = join(directory, "contract.yaml");
      writeFileSync(file, text);
      const request = { contractFile: file, directory: join(directory, "store"), ...changes };
      assert.throws(() => buildFromContract(request), { code, message });
      rmSync(file);
      assert.equal(existsSync(request.directory), false, String(message));
      assert.deepEqual(readdirSync(directory), []);
    };
    const asked = (path: string) => ({ overrides: { with: [path], without: [] } });
    refused({}, "NOT_SELECTED", /replication/, contractText.replace(/^replication:.*$/m, "replication: { nodes: 3, consensus: raft }"));
    refused(asked("storage/storage_model/row/btree_clustered"), "NOT_SELECTED", /needs \d+ leaves that no part implements/);
    refused(asked("core/wall"), "NOT_FOUND", /core\/wal/);
    refused({ overrides: { with: [], without: ["core/wal"] } }, "INVALID_ARGUMENT", /what is acknowledged survives/);
    refused(asked("storage/ttl"), "NOT_SELECTED", /--with concurrency\/transaction\/model\/single_operation/);
    refused({ selectionFile: join(directory, "none.json") }, "NOT_FOUND", /there is no selection/);
    refused({ selectionFile: contractFile }, "CORRUPTION", /is not JSON/);
    refused({ ...asked("core/checkpoint"), selectionFile: contractFile }, "INVALID_ARGUMENT", /is a selection already/);
    refused({ overrides: { ...without, parts: [directory] } }, "NOT_FOUND", /holds no part\.yaml/);
  });
});
