/**
 * The test suite of `abstract-level` over Lathe's engine, with a tiny memtable, so that flushes happen while it runs;
 * no case is left out. A planted bug must fail in it, as must the runner's own planted failures.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createNodeEnv } from "../../src/kit/env/node-env.ts";
import { LatheLevel, type Tuning } from "./lathe-level.ts";
import { TapeContext } from "./tape-context.ts";

type Body = (t: TapeContext) => unknown;
type TapeTest = (name: string, body: Body) => void;
type Suite = (options: { test: TapeTest; factory: (options?: Record<string, unknown>) => LatheLevel }) => void;

const suite = createRequire(import.meta.url)("abstract-level/test") as Suite;
const root = mkdtempSync(join(tmpdir(), "lathe-abstract-level-"));
const env = createNodeEnv({ logLevel: "error" });
let directories = 0;

after(async () => {
  await env.threads.close();
  rmSync(root, { recursive: true, force: true });
});

const make = (tuning: Tuning) => (options?: Record<string, unknown>) =>
  new LatheLevel(env, join(root, String(directories++)), tuning, options);

const tiny: Tuning = { memtableBytes: 4096, blockBytes: 64, blockCacheBytes: 1024, targetFileBytes: 1024, readMode: "pool" };

describe("abstract-level's suite", () => {
  let cases = 0;
  let assertions = 0;
  suite({
    factory: make(tiny),
    test: (title, body) => {
      cases++;
      test(title, async () => {
        assertions += await TapeContext.run(body);
      });
    },
  });
  test("it had hundreds of cases and thousands of assertions", () => {
    assert.ok(cases > 1000, `${cases} cases`);
    assert.ok(assertions > 4000, `${assertions} assertions`);
  });
});

/** Runs the suite over a faulty store; the names of the cases that fail. */
async function failuresOf(create: (options?: Record<string, unknown>) => LatheLevel): Promise<string[]> {
  const cases: { title: string; body: Body }[] = [];
  suite({ factory: create, test: (title, body) => cases.push({ title, body }) });
  const failed: string[] = [];
  // Without the second round, on a sublevel, and with those of iterators alone, it is a matter of a second.
  for (const { title, body } of cases.slice(0, cases.length / 2).filter(({ title }) => /iterator|range/i.test(title))) {
    await TapeContext.run(body).catch(() => failed.push(title));
  }
  return failed;
}

test("planted bug: an iterator that includes its upper bound fails in the suite", async () => {
  class Faulty extends LatheLevel {
    override _iterator(options: Parameters<LatheLevel["_iterator"]>[0]) {
      const { lt, ...rest } = options;
      return super._iterator((lt === undefined ? rest : { ...rest, lte: lt }) as typeof options);
    }
  }
  const failed = await failuresOf((options) => new Faulty(env, join(root, String(directories++)), {}, options));
  assert.ok(failed.length > 3, failed.join(", "));
});

test("the runner finds what tape would: a failure, a plan not met, one exceeded, a nested failure", async () => {
  const failing: readonly Body[] = [
    (t) => (t.plan(1), t.is(1, 2)),
    async (t) => t.same({ a: 1 }, { a: 2 }),
    (t) => (t.plan(1), t.ok(true), t.ok(true)),
    (t) => (t.throws(() => 1), t.end()),
    async (t) => t.test("nested", async (inner) => inner.fail("no")),
    async () => {
      throw new Error("rejected");
    },
  ];
  for (const body of failing) await assert.rejects(TapeContext.run(body));
  assert.equal(await TapeContext.run((t) => (t.plan(2), t.pass(), setTimeout(() => t.ok(1), 20))), 2);
});
