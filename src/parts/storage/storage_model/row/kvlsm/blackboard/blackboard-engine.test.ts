import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeEnv } from "../../../../../../kit/env/node-env.ts";
import { testStorageEngine } from "../../../../engine.conformance.ts";
import { blackboardCapabilities, openBlackboardEngine } from "./blackboard-engine.ts";
import type { BlackboardOptions } from "./options.ts";
import { withSettableClock } from "../../../../settable-clock.fixture.ts";

function conformance(name: string, options: Omit<BlackboardOptions, "directory">): void {
  testStorageEngine(name, () => {
    const root = mkdtempSync(join(tmpdir(), "lathe-lsm-"));
    const { env, clock } = withSettableClock(createNodeEnv({ logLevel: "error" }));
    let directories = 0;
    mkdirSync(root, { recursive: true });
    return {
      capabilities: blackboardCapabilities,
      clock,
      newDirectory: () => join(root, String(directories++)),
      open: (directory) => openBlackboardEngine(env, { directory, ...options }),
      async dispose() {
        await env.threads.close();
        rmSync(root, { recursive: true });
      },
    };
  });
}

/** So small that a few hundred keys make several levels. */
conformance("blackboard, tiny", {
  memtableBytes: 8192,
  blockBytes: 128,
  restartInterval: 3,
  blockCacheBytes: 2048,
  levelBaseBytes: 4096,
  levelMultiplier: 2,
  targetFileBytes: 2048,
  l0CompactionTrigger: 2,
  l0SlowdownTrigger: 4,
  l0StallTrigger: 6,
  readMode: "pool",
  slowdownBytesPerSecond: 1 << 28,
});

conformance("blackboard, without filters and cache", {
  memtableBytes: 16384,
  bloomBitsPerKey: 0,
  blockCacheBytes: 0,
  readMode: "sync",
});
