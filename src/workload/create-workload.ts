/** From what a contract says about its workload to the workload itself. */
import type { WorkloadSpec } from "../contract/contract.ts";
import { LatheError } from "../kit/errors.ts";
import { OwnWorkload } from "./own_operations/own-workload.ts";
import { BulkWorkload } from "./bulk_ingest/bulk-workload.ts";
import { TaoWorkload } from "./taobench/tao-workload.ts";
import { KeyValueWorkload } from "./key_value/key-value-workload.ts";
import type { Workload } from "./workload.ts";
import { YcsbWorkload } from "./ycsb/ycsb-workload.ts";

/**
 * `dataSeed` fixes the first content. Errors: INVALID_ARGUMENT for a benchmark, profile or scale that does
 * not exist.
 */
export function createWorkload(spec: WorkloadSpec, dataSeed = 1): Workload {
  if (spec.tables !== undefined) return new OwnWorkload(spec, spec.tables);
  switch (spec.benchmark) {
    case "taobench":
      return new TaoWorkload(spec.profile, spec.scale, dataSeed);
    case "ycsb":
      return new YcsbWorkload(spec.profile, spec.scale, dataSeed);
    case "bulk_ingest":
      return new BulkWorkload(spec.profile, spec.scale, dataSeed);
    case "key_value":
      return new KeyValueWorkload(spec.profile, spec.scale);
    default:
      throw new LatheError("INVALID_ARGUMENT", `no benchmark is named "${String(spec.benchmark satisfies never)}"`);
  }
}
