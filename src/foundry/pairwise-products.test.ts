/**
 * Twenty-five products whose selections have every pair of choices that the parts library allows: each is built into a
 * directory of its own, opened, asked at its surfaces and put through its own tests; each of its parts is run by a
 * request (`test/coverage.test.ts`).
 *
 * Suites of parts hold the same bytes in every product and beside the parts, where they run; a joint test of a contract
 * node runs in the first product that has one of its name, with LATHE_TEST_JOINT=all in every product. All products run
 * in one process, one after another, each from its own files.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { backboneOf } from "../model/backbone.ts";
import { ConfigurationSpace } from "../model/counting/configuration-space.ts";
import { pairwiseSample } from "../model/pairwise-sample.ts";
import { RandomNumbers } from "../model/random-numbers.ts";
import { Reasoner } from "../model/reasoner.ts";
import { type AssembledProduct, writeProduct } from "./build.ts";
import { drawnProduct } from "./drawn-product.fixture.ts";
import { libraryModel } from "./library-model.ts";
import { runOwnTests } from "./own-tests.fixture.ts";
import { designSpace } from "./select/design-space.ts";

const count = 25;
const seed = 1;
const joint = process.env.LATHE_TEST_JOINT ?? "first";

/** Pairwise selections, and as many drawn ones as are lacking. */
function selections(): string[][] {
  const { model, library } = designSpace();
  const narrowed = libraryModel(model, library);
  const reasoner = new Reasoner(narrowed);
  const backbone = backboneOf(reasoner);
  const points = narrowed.leaves.map(({ path }) => path).filter((path) => backbone?.[reasoner.literal(path)] === 0);
  const sample = pairwiseSample(reasoner, { points, seed });
  assert.ok(sample.coverable > 5000 && sample.covered === sample.coverable, `${sample.covered} of ${sample.coverable}`);
  assert.ok(sample.selections.length <= count, `${sample.selections.length} selections for all pairs`);
  const space = new ConfigurationSpace(narrowed);
  const random = new RandomNumbers(seed);
  const drawn = Array.from({ length: count - sample.selections.length }, () => space.draw(random));
  const leavesOf = (paths: readonly string[]) => paths.filter((path) => narrowed.feature(path).kind === "leaf");
  return [...sample.selections, ...drawn].map(leavesOf);
}

/** Contract nodes without a joint test of each invariant, or whose wiring is not marked. */
function untestedNodes({ plan, files }: AssembledProduct): string[] {
  return plan.contractNodes.map(({ path }) => path.replace("contract/", "")).filter((name) => {
    const isTold = /no statement of this product can break it/.test(files.get(`contracts/${name}.md`) ?? "missing");
    const isMarked = files.get("product.ts")?.includes(`see contracts/${name}.md.`) ?? false;
    return isTold || !isMarked || !files.has(`test/contracts/${name}.test.ts`);
  });
}

test(`${count} products over all pairs of choices are built, started, asked, and pass their tests`, () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-pairwise-"));
  try {
    const jointSeen = new Set<string>();
    const files = selections().flatMap((leaves, at) => {
      const product = drawnProduct(`drawn-${at + 1}`, leaves, at + 1);
      writeProduct(product, join(directory, product.name));
      assert.deepEqual(untestedNodes(product), [], product.name);
      const tests = [...product.files.keys()].filter((path) => /^test\/contracts\/.*\.test\.ts$/.test(path))
        .filter((path) => joint === "all" || !jointSeen.has(basename(path)));
      for (const path of tests) jointSeen.add(basename(path));
      return ["test/product.test.ts", "test/coverage.test.ts", ...tests].map((path) => join(product.name, path));
    });
    assert.equal(files.filter((file) => file.endsWith("product.test.ts")).length, count);
    const report = runOwnTests(directory, files);
    assert.ok(report.ok, `${report.failedTest}\n${report.output}`);
    assert.ok(report.tests >= 4 * count, `${report.tests} tests`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
