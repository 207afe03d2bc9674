/** What the engine's options say about a table that is to be written. */
import type { Tuning } from "./options.ts";
import type { TableOptions } from "./table-writer.ts";

/** `bottom`: the table goes to where no older run has keys of its range. */
export function tableOptionsOf(tuning: Tuning, selectionHash: string, bottom: boolean): TableOptions {
  const { blockBytes, bloomBitsPerKey, restartInterval, compressionBottom } = tuning;
  return {
    blockBytes,
    bloomBitsPerKey,
    restartInterval,
    selectionHash,
    compression: bottom && compressionBottom !== "same" ? compressionBottom : tuning.compression,
    prefixRule: { bytes: tuning.prefixBytes, separator: tuning.prefixSeparator },
  };
}
