/**
 * A sample study for tests and for looking at reports: simulated, with knobs and effects as a
 * log-structured store has them. Its figures are drawn from a model and are not measurements of
 * anything.
 */
import type { SideSample } from "../bench/measurement.ts";
import type { Knob } from "../knobs/knob.ts";
import type { Environment } from "../journal/environment.ts";
import {
  type Effects,
  runSimulation,
  type SimulatedStudyOptions,
} from "../study/simulated-study.ts";
import type { StudyJournal } from "../study/study-journal.ts";

const mebibyte = 1 << 20;

function knob(name: string, description: string, rest: Partial<Knob>): Knob {
  return {
    name,
    description,
    type: "integer",
    leaf: "storage",
    default: 0,
    impact: "high",
    risk: "none",
    effect: "restart",
    constraints: [],
    ...rest,
  };
}

export const sampleKnobs: readonly Knob[] = [
  knob(
    "lsm.block_cache_bytes",
    "Data blocks kept in memory. A read that finds its block there does not touch the file.",
    {
      unit: "bytes",
      min: mebibyte,
      max: 256 * mebibyte,
      scale: "log2",
      default: 32 * mebibyte,
      risk: "memory",
    },
  ),
  knob("lsm.memtable_bytes", "Size at which a memtable is frozen and flushed.", {
    unit: "bytes",
    min: mebibyte,
    max: 128 * mebibyte,
    scale: "log2",
    default: 16 * mebibyte,
    risk: "memory",
  }),
  knob(
    "lsm.block_bytes",
    "Size at which a data block is closed. Smaller blocks cost less to read.",
    { unit: "bytes", min: 512, max: 65536, scale: "log2", default: 4096, effect: "files" },
  ),
  knob("lsm.bloom_bits_per_key", "Bits of the bloom filter per key; 0 leaves the filter out.", {
    unit: "bits",
    min: 0,
    max: 24,
    default: 10,
    effect: "files",
  }),
  knob("cache.policy", "Which rows the row cache keeps.", {
    type: "choice",
    choices: ["lru", "w_tinylfu", "none"],
    default: "lru",
  }),
];

const tooLarge = { logThroughput: 0.1, memoryMiB: 290 };

/**
 * Seen from the defaults; a made-up store in which smaller blocks and another cache policy help.
 */
const sampleEffects: Effects = {
  "lsm.block_bytes": {
    512: 0.06,
    1024: 0.085,
    2048: 0.05,
    8192: -0.05,
    16384: -0.11,
    32768: -0.2,
    65536: -0.33,
  },
  "cache.policy": { w_tinylfu: 0.075, none: -0.16 },
  "lsm.block_cache_bytes": {
    [64 * mebibyte]: 0.02,
    [128 * mebibyte]: tooLarge,
    [256 * mebibyte]: tooLarge,
    [4 * mebibyte]: -0.18,
  },
  "lsm.memtable_bytes": {
    [128 * mebibyte]: { behaviour: "dies" },
    [64 * mebibyte]: 0.004,
    [4 * mebibyte]: -0.02,
  },
  "lsm.bloom_bits_per_key": { 0: { behaviour: "rejected" }, 16: 0.002, 4: -0.06 },
};

export const sampleOptions: SimulatedStudyOptions = {
  seed: 11,
  knobs: sampleKnobs,
  effects: sampleEffects,
  proposer: "greedy",
  budgetSeconds: 1000,
  simulation: { noise: 0.018, skew: 0.4, firstAdvantage: 0.004, drift: 0.03, launchSeconds: 6 },
  settings: {
    trialsMax: 14,
    expert: {
      knobs: { "lsm.block_cache_bytes": 64 * mebibyte, "lsm.block_bytes": 2048 },
      source: "a tuning guide for read-heavy stores",
    },
  },
};

export async function createSampleJournal(
  options: Partial<SimulatedStudyOptions> = {},
): Promise<StudyJournal> {
  const study = await runSimulation({
    ...sampleOptions,
    facts: { environment: sampleEnvironment },
    ...options,
  });
  study.journal.append({
    kind: "solo_measurement",
    subject: "mariadb",
    label: "MariaDB",
    sample: peerSample,
    seconds: 20,
    driverBound: false,
    configuration: {
      innodb_buffer_pool_size: "1G",
      innodb_flush_log_at_trx_commit: 1,
      note: "simulated",
    },
  });
  return study.journal;
}

const sampleEnvironment: Environment = {
  host: "simulated",
  operatingSystem: "a simulated system",
  kernel: "0.0",
  architecture: "x86_64",
  cpuModel: "a simulated processor",
  cores: 2,
  memoryMiB: 7936,
  fileSystem: "ext4",
  dataInMemory: false,
  nodeVersion: process.version,
};

const operation = (count: number, meanUs: number) => ({
  count,
  errors: 0,
  meanUs,
  p50Us: meanUs * 0.9,
  p99Us: meanUs * 3.6,
  maxUs: meanUs * 20,
});

const peerSample: SideSample = {
  opsPerSecond: 12_450,
  operations: {
    READ: operation(240_000, 590),
    READTRANSACTION: operation(7000, 2100),
    WRITE: operation(560, 4100),
    UPDATE: operation(350, 4300),
    INSERT: operation(230, 4000),
    WRITETRANSACTION: operation(95, 6900),
  },
  p50Us: 560,
  p99Us: 2400,
  serverCpuUsPerOp: 88,
  memoryMiB: 412,
  drainSeconds: 0,
  errors: 0,
  verificationFailures: 0,
  signals: {},
};
