/**
 * Makes the checkpoints from which launches start: a product's data directory with a workload's first
 * content.
 */
import { rmSync } from "node:fs";
import type { WorkloadSpec } from "../contract/contract.ts";
import { cloneCheckpoint } from "../fleet/checkpoint.ts";
import { rewriteProductData, startProduct } from "../fleet/product-server.ts";
import type { KnobValues } from "../kit/product.ts";
import { Driver } from "./driver.ts";
import type { LoadResult } from "./driver-protocol.ts";
import { drainServer } from "./server-signals.ts";

export interface PrepareOptions {
  readonly productDirectory: string;
  readonly knobs: KnobValues;
  /** Created; holds the checkpoint afterwards. */
  readonly checkpointDirectory: string;
  readonly workload: WorkloadSpec;
  readonly dataSeed: number;
  readonly signal?: AbortSignal | undefined;
}

const drainTimeoutMs = 120_000;

/**
 * Loads through the front door, waits for the background work, stops the server, and rewrites all files
 * with the given knobs, so that a launch starts from a store at rest. What a failure leaves behind is
 * removed.
 */
export async function prepareCheckpoint(options: PrepareOptions): Promise<LoadResult> {
  const { productDirectory, knobs, checkpointDirectory: dataDirectory, signal } = options;
  const driver = await Driver.start(options.workload, options.dataSeed);
  try {
    const server = await startProduct({ productDirectory, knobs, dataDirectory, surface: driver.surface });
    // Whoever waits for the server then learns that it is gone.
    const stop = () => void server.kill();
    signal?.addEventListener("abort", stop);
    try {
      signal?.throwIfAborted();
      const loaded = await driver.load(server.endpoint);
      await drainServer(server, drainTimeoutMs);
      await server.stop();
      await rewriteProductData({ productDirectory, knobs, dataDirectory }, signal);
      return loaded;
    } catch (error) {
      await server.kill();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  } catch (error) {
    rmSync(dataDirectory, { recursive: true, force: true });
    throw error;
  } finally {
    await driver.close();
  }
}

/**
 * For candidates whose knobs take effect as files are rewritten: a checkpoint of the same content with
 * their knobs.
 */
export async function rewriteCheckpoint(
  source: string,
  options: Omit<PrepareOptions, "workload" | "dataSeed">,
): Promise<void> {
  const { productDirectory, knobs, checkpointDirectory: dataDirectory, signal } = options;
  try {
    cloneCheckpoint(source, dataDirectory);
    await rewriteProductData({ productDirectory, knobs, dataDirectory }, signal);
  } catch (error) {
    rmSync(dataDirectory, { recursive: true, force: true });
    throw error;
  }
}
