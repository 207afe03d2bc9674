import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeEnv } from "../../../../kit/env/node-env.ts";
import { testStorageEngine } from "../../engine.conformance.ts";
import { withSettableClock } from "../../settable-clock.fixture.ts";
import { memoryCapabilities, openMemoryEngine } from "./memory-engine.ts";
import type { MemoryOptions } from "./options.ts";

function conformance(name: string, options: Omit<MemoryOptions, "directory">): void {
  testStorageEngine(name, () => {
    const root = mkdtempSync(join(tmpdir(), "lathe-memory-"));
    const { env, clock } = withSettableClock(createNodeEnv({ logLevel: "error" }));
    let directories = 0;
    mkdirSync(root, { recursive: true });
    return {
      capabilities: memoryCapabilities,
      clock,
      newDirectory: () => join(root, String(directories++)),
      open: (directory) => openMemoryEngine(env, { directory, ...options }),
      async dispose() {
        await env.threads.close();
        rmSync(root, { recursive: true });
      },
    };
  });
}

/** A snapshot is due every few batches. */
conformance("memory, snapshots all the time", { bytesMax: 1 << 24, snapshotBytesMin: 1024 });
conformance("memory, snapshots when asked for", { bytesMax: 1 << 24 });
