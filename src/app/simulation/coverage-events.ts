/** Which disk calls and jobs of engine and log are events worth counting. */
import type { DiskCall } from "../../simulation/disk-call.ts";

export function callEvent({ kind, path }: DiskCall, opening: boolean): string | undefined {
  if (kind === "rename") {
    if (path.endsWith("/CURRENT.tmp")) return opening ? undefined : "manifest_switched_while_open";
    if (/\/\d+\.wal$/.test(path)) return "segment_recycled";
    return undefined;
  }
  if (kind !== "unlink") return undefined;
  if (path.endsWith(".sst")) return opening ? "orphan_table_removed" : "table_removed";
  if (path.endsWith(".mem")) return opening ? "orphan_snapshot_removed" : "snapshot_removed";
  if (opening && /MANIFEST-\d+$/.test(path)) return "orphan_manifest_removed";
  return path.endsWith(".wal") ? "segment_removed" : undefined;
}

/** Where faults are aimed: each of these has calls that are few among all, and that much depends on. */
export const logPlaces = ["log", "segment_preparation", "directory_sync", "directory"];
export const enginePlaces = [
  "manifest", "manifest", "manifest", "manifest_switch", "table", "table_removal", "directory_sync",
];

/** Where a fault strikes, in a word. */
export function callPlace({ kind, path }: DiskCall): string {
  if (path.startsWith("/checkpoint")) return "checkpoint";
  if (path.startsWith("/data/repaired")) return "repair";
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name.startsWith("CURRENT")) return "manifest_switch";
  if (name.startsWith("MANIFEST")) return kind === "unlink" ? "manifest_removal" : "manifest";
  if (name.endsWith(".mem")) return kind === "unlink" ? "snapshot_removal" : "snapshot";
  if (name.endsWith(".sst")) return kind === "unlink" ? "table_removal" : "table";
  if (name.startsWith("spare")) return "segment_preparation";
  if (name.endsWith(".wal")) return "log";
  return kind === "syncDirectory" ? "directory_sync" : "directory";
}

interface FileCounts {
  readonly deleteCount?: number;
}

interface JobFacts {
  readonly snapshots?: readonly number[];
  readonly runs?: readonly (readonly FileCounts[])[];
  readonly recycledName?: string | undefined;
}

export function jobEvents(name: string, input: unknown, output: unknown): string[] {
  const { snapshots, runs, recycledName } = (input ?? {}) as JobFacts;
  const events: string[] = [];
  if (snapshots !== undefined && snapshots.length > 0) events.push("job_with_snapshots");
  if (recycledName !== undefined) events.push("segment_reused");
  const files = (output as { files?: readonly FileCounts[] } | undefined)?.files;
  if (name === "compactionJob" && runs !== undefined && files !== undefined) {
    if (deletes(files) < deletes(runs.flat())) events.push("tombstone_dropped");
    if (files.length > 1) events.push("compaction_of_several_files");
  }
  return events;
}

function deletes(files: readonly FileCounts[]): number {
  return files.reduce((sum, { deleteCount }) => sum + (deleteCount ?? 0), 0);
}
