/** The memory engine's metrics, in Prometheus' words. Counters count since the engine was opened. */
import type { Metric, ScalarMetric } from "../../../../kit/metric.ts";
import { nodeBytes } from "./tree-node.ts";
import type { RecordStore } from "./record-store.ts";
import type { SnapshotWriter } from "./snapshot-writer.ts";

export interface EngineCounts {
  readonly batches: number;
  readonly reads: number;
  readonly scans: number;
  readonly refused: number;
  readonly cursors: number;
  readonly snapshots: number;
  readonly bytesMax: number;
}

export function memoryMetrics(store: RecordStore, writer: SnapshotWriter, counts: EngineCounts): Metric[] {
  const { heap, hashed, ordered } = store;
  const { arena } = heap;
  const nodes = ordered.nodeCount * nodeBytes;
  const parts = {
    records: arena.usedBytes - nodes + heap.largeBytes,
    free_cells: arena.touchedBytes - arena.usedBytes,
    hash_index: hashed.sizeBytes,
    ordered_index: nodes,
  };
  const components = Object.entries(parts).map(([component, value]): Metric => ({
    ...gauge("memory_held_bytes", "Memory held, by component", value),
    labels: { component },
  }));
  return [
    counter("memory_applied_batches_total", "Batches applied", counts.batches),
    counter("memory_point_reads_total", "Keys looked up", counts.reads),
    counter("memory_scans_total", "Cursors opened", counts.scans),
    counter("memory_refused_batches_total", "Batches refused for want of memory", counts.refused),
    counter("memory_expired_dropped_total", "Expired entries dropped", store.expiredDropped),
    counter("memory_snapshots_total", "Snapshots written", writer.snapshots),
    counter("memory_snapshot_failures_total", "Snapshots that failed", writer.failures),
    counter("memory_snapshot_bytes_total", "Bytes written by snapshots", writer.writtenBytes),
    gauge("memory_snapshot_running", "1 while a snapshot is being written", writer.isRunning ? 1 : 0),
    gauge("memory_unsaved_bytes", "Bytes applied since the last snapshot", writer.bytesSince),
    gauge("memory_durable_index", "Highest index that is in files", writer.current.index),
    gauge("memory_keys", "Keys in the indexes", hashed.count),
    gauge("memory_live_bytes", "What live entries count against the limit", store.liveBytes),
    gauge("memory_limit_bytes", "The limit", counts.bytesMax),
    gauge("memory_old_versions", "Versions that wait until no snapshot or cursor sees them", store.followedCount),
    gauge("memory_live_snapshots", "Live snapshots", counts.snapshots),
    gauge("memory_open_cursors", "Open cursors", counts.cursors),
    ...components,
  ];
}

function counter(name: string, help: string, value: number): ScalarMetric {
  return { kind: "counter", name, help, value };
}

function gauge(name: string, help: string, value: number): ScalarMetric {
  return { kind: "gauge", name, help, value };
}
