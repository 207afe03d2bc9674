import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Gate, GateSubject } from "./gate.ts";
import { isAdmitted, runGates, verdictOf } from "./run-gates.ts";

const workDirectory = mkdtempSync(join(tmpdir(), "lathe-run-gates-"));
after(() => rmSync(workDirectory, { recursive: true, force: true }));

const subject: GateSubject = { productDirectory: "/nowhere", knobs: {}, seed: 1, workDirectory };

function gate(name: string, run: Gate["run"], timeoutMs = 10_000): Gate {
  return { name, description: name, stage: "candidate", timeoutMs, run };
}

const admitting = (name: string) => gate(name, async () => verdictOf(name, performance.now()).admit("fine"));
const rejecting = (name: string) => gate(name, async () => verdictOf(name, performance.now()).reject("wrong"));

test("gates run in order and end at the first that does not admit", async () => {
  const verdicts = await runGates([admitting("a"), rejecting("b"), admitting("c")], subject);
  assert.deepEqual(verdicts.map(({ gate: name, verdict }) => [name, verdict]), [["a", "admit"], ["b", "reject"]]);
  assert.equal(isAdmitted(verdicts), false);
  assert.equal(isAdmitted(await runGates([admitting("a"), admitting("c")], subject)), true);
  assert.equal((await runGates([rejecting("a"), admitting("b")], subject, { all: true })).length, 2);
});

test("no gates is no admission", () => assert.equal(isAdmitted([]), false));

test("a gate that fails, in whatever way, is inconclusive, and that is no admission", async () => {
  const throwing = gate("throws", () => {
    throw new Error("at once");
  });
  const failing = gate("rejects", async () => {
    throw new Error("later");
  });
  const verdicts = await runGates([throwing, failing], subject, { all: true });
  assert.deepEqual(verdicts.map(({ verdict }) => verdict), ["inconclusive", "inconclusive"]);
  assert.match(verdicts[0].reason, /could not finish: at once/);
  assert.match(verdicts[1].reason, /could not finish: later/);
  assert.equal(isAdmitted(verdicts), false);
});

test("a gate that takes too long is inconclusive, is told by its signal, and may still clean up", async () => {
  let cleaned = false;
  let directory = "";
  const slow = gate("slow", ({ signal, workDirectory: own }) => {
    directory = own;
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => {
        cleaned = existsSync(own);
        reject(new Error("stopped"));
      });
    });
  }, 20);
  const [verdict] = await runGates([slow], subject);
  assert.equal(verdict.verdict, "inconclusive");
  assert.match(verdict.reason, /no answer within 0.02 s/);
  assert.ok(cleaned, "its directory is there while it ends");
  assert.equal(existsSync(directory), false);
});

test("stopping on request ends the gate at work and starts no other", async () => {
  const controller = new AbortController();
  const waiting = gate("waits", ({ signal }) => {
    queueMicrotask(() => controller.abort());
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("stopped"))));
  });
  const stoppable = { ...subject, signal: controller.signal };
  const verdicts = await runGates([waiting, admitting("never")], stoppable, { all: true });
  assert.deepEqual(verdicts.map(({ verdict, reason }) => [verdict, reason]), [["inconclusive", "stopped on request"]]);
});

test("each gate has a directory of its own, and none is left", async () => {
  const seen = new Set<string>();
  const looking = (name: string) =>
    gate(name, async ({ workDirectory: own }) => {
      assert.deepEqual(readdirSync(own), []);
      seen.add(own);
      return verdictOf(name, performance.now()).admit("fine");
    });
  await runGates([looking("a"), looking("b")], subject);
  assert.equal(seen.size, 2);
  assert.deepEqual(readdirSync(workDirectory), []);
});
