/** Options of the memory engine so small that a few writes make several snapshots; and where faults are aimed. */
import type { MemoryOptions } from "../../parts/storage/storage_model/memory/options.ts";
import type { ScenarioKnobs } from "../../simulation/store-subject.ts";

const choices = {
  snapshotBytesMin: [1024, 1024, 4096, 16_384, 65_536],
  troubleLimitMs: [200, 5000],
  segmentBytes: [4096, 4096, 8192, 65_536],
  recycledSegments: [0, 1, 2],
  groupDelayUs: [0, 0, 300, 3000],
} as const;

/** The middle of everything: what scenarios use whose knobs are not drawn. */
export const plainMemoryKnobs: ScenarioKnobs = {
  snapshotBytesMin: 2048, troubleLimitMs: 1000, segmentBytes: 4096, recycledSegments: 1, groupDelayUs: 0,
};

export function drawMemoryKnobs(next: () => number): ScenarioKnobs {
  return Object.fromEntries(
    Object.entries(choices).map(([name, values]) => [name, values[Math.floor(next() * values.length)]]),
  );
}

/** More than a scenario writes; what is reserved is filled with zeros where it is touched alone. */
const bytesMax = 1 << 22;

export function memoryOptionsOf({ snapshotBytesMin, troubleLimitMs }: ScenarioKnobs): Omit<MemoryOptions, "directory"> {
  return { bytesMax, snapshotBytesMin: Number(snapshotBytesMin), troubleLimitMs: Number(troubleLimitMs) };
}

/** Where faults are aimed: each of these has calls that are few among all, and that much depends on. */
export const memoryPlaces = [
  "snapshot", "snapshot", "manifest_switch", "manifest_switch", "snapshot_removal", "directory_sync",
];
