/** The engine's metrics, in Prometheus' words. Counters count since the engine was opened. */
import type { Metric, ScalarMetric } from "../../../../../../kit/metric.ts";
import type { Blackboard } from "./blackboard.ts";
import type { BackgroundRunner, StallFigures } from "./coordination.ts";
import { DamagedTable } from "./damaged-table.ts";
import { totalBytes } from "./level-shape.ts";
import { pressureCauses } from "./write-pressure.ts";

export function engineMetrics(board: Blackboard, runner: BackgroundRunner, stall: StallFigures): Metric[] {
  return [
    ...readMetrics(board),
    ...workMetrics(board, runner, stall),
    ...shapeMetrics(board),
    ...memoryMetrics(board),
  ];
}

function readMetrics({ cache, reads }: Blackboard): Metric[] {
  return [
    counter("lsm_block_cache_hits_total", "Data blocks found in memory", cache.hits),
    counter("lsm_block_cache_misses_total", "Data blocks read from files", cache.misses),
    counter("lsm_table_page_reads_total", "Pages of filters and block indexes read from files", cache.pageReads),
    counter("lsm_point_reads_total", "Keys looked up", reads.pointReads),
    counter("lsm_runs_touched_total", "Sorted runs searched by point reads", reads.runsTouched),
    counter(
      "lsm_filter_rejections_total",
      "Tables that a bloom filter kept from being searched",
      reads.filterRejections,
    ),
    counter(
      "lsm_filter_false_positives_total",
      "Tables searched for a key they lack",
      reads.filterFalsePositives,
    ),
    counter(
      "lsm_prefix_rejections_total",
      "Tables that a prefix filter kept from being scanned",
      reads.prefixRejections,
    ),
    counter("lsm_slow_reads_total", "Times that slow reads sent adaptive reads to the pool", reads.slowReads),
    counter("lsm_scans_total", "Cursors opened", reads.scans),
    counter("lsm_scanned_entries_total", "Entries handed out by cursors", reads.scannedEntries),
    counter(
      "lsm_expired_entries_total",
      "Entries that reads passed over because they had expired",
      reads.expiredEntries,
    ),
    gauge(
      "lsm_read_amplification",
      "Sorted runs searched per point read",
      reads.pointReads === 0 ? 0 : reads.runsTouched / reads.pointReads,
    ),
  ];
}

function workMetrics(board: Blackboard, runner: BackgroundRunner, stall: StallFigures): Metric[] {
  const { work, immutables } = board;
  const written = work.flushedBytes + work.compactionWrittenBytes;
  return [
    counter("lsm_applied_batches_total", "Batches applied", work.appliedBatches),
    counter("lsm_applied_bytes_total", "Encoded bytes of the batches applied", work.appliedBytes),
    counter("lsm_flushes_total", "Memtables flushed", work.flushes),
    counter("lsm_flushed_bytes_total", "Bytes written by flushes", work.flushedBytes),
    counter("lsm_compactions_total", "Compactions done", work.compactions),
    counter("lsm_subcompactions_total", "Jobs that compactions were split into", work.subcompactions),
    counter("lsm_refused_proposals_total", "Proposals of agents that were refused", work.refusedProposals),
    counter("lsm_moves_total", "Compactions that only moved files", work.moves),
    counter("lsm_compaction_read_bytes_total", "Bytes read by compactions", work.compactionReadBytes),
    counter(
      "lsm_compaction_written_bytes_total",
      "Bytes written by compactions",
      work.compactionWrittenBytes,
    ),
    counter(
      "lsm_expired_dropped_total",
      "Expired entries whose values flushes and compactions dropped",
      work.expiredDropped,
    ),
    counter("lsm_range_dropped_total", "Entries dropped because their range was deleted", work.rangeDropped),
    counter(
      "lsm_covered_files_total",
      "Files that compactions dropped unread because their whole range was deleted",
      work.coveredFiles,
    ),
    counter("lsm_background_failures_total", "Flushes and compactions that failed", work.failures),
    ...pressureMetrics(stall),
    gauge("lsm_compactions_running", "Compactions under way", runner.compactionsRunning),
    gauge("lsm_stalled", "1 while writers must wait", stall.isStalled ? 1 : 0),
    gauge(
      "lsm_compaction_halted",
      "1 after a compaction met a damaged file",
      runner.compactionHalted === undefined ? 0 : 1,
    ),
    gauge(
      "lsm_write_amplification",
      "Bytes written to files per byte applied",
      work.appliedBytes === 0 ? 0 : written / work.appliedBytes,
    ),
    gauge("lsm_compaction_debt_bytes", "Bytes due for compaction", board.debtBytes()),
    gauge("lsm_immutable_memtables", "Frozen memtables that wait for their flush", immutables.length),
  ];
}

function shapeMetrics({ versions, snapshots }: Blackboard): Metric[] {
  const { files } = versions.current;
  const perLevel = files.flatMap((level, number): Metric[] => {
    const labels = { level: String(number) };
    return [
      { ...gauge("lsm_level_files", "SSTables per level", level.length), labels },
      { ...gauge("lsm_level_bytes", "Bytes of SSTables per level", totalBytes(level)), labels },
    ];
  });
  return [
    gauge("lsm_l0_files", "SSTables in level 0", files[0].length),
    gauge(
      "lsm_damaged_tables",
      "SSTables that could not be opened; reads of their keys fail",
      versions.current.levels.flat().filter((table) => table instanceof DamagedTable).length,
    ),
    gauge("lsm_snapshots", "Live snapshots", snapshots.count),
    gauge("lsm_durable_index", "Highest index that is in files", versions.durableIndex),
    ...perLevel,
  ];
}

function pressureMetrics(stall: StallFigures): Metric[] {
  const { stalls, slowdowns, stallUs, slowdownUs } = stall;
  const byCause = pressureCauses.flatMap((cause) => [
    { ...counter("lsm_stalls_total", "Times that writers had to wait", stalls[cause]), labels: { cause } },
    { ...counter("lsm_slowdowns_total", "Times that writers were delayed", slowdowns[cause]), labels: { cause } },
  ]);
  return [
    ...byCause.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    counter("lsm_stall_seconds_total", "Time that writers had to wait", stallUs.sum / 1e6),
    counter("lsm_slowdown_seconds_total", "Time that writers were delayed", slowdownUs.sum / 1e6),
    stallUs.toMetric({ name: "lsm_stall_seconds", help: "Time of one stall", scale: 1e-6 }),
    slowdownUs.toMetric({ name: "lsm_slowdown_seconds", help: "Delay of one write", scale: 1e-6 }),
    gauge("lsm_write_pressure", "0: writers go on, below 1: slowed, 1: they wait", stall.present.pressure),
  ];
}

function memoryMetrics(board: Blackboard): Metric[] {
  const { cache, memtable, immutables, tuning } = board;
  const { pageBytes, wholeBytes } = cache;
  const frozen = immutables.reduce((total, one) => total + one.sizeBytes, 0);
  const parts = {
    block_cache: cache.sizeBytes - pageBytes.filter - pageBytes.index,
    memtable: memtable.sizeBytes,
    immutable_memtables: frozen,
    filter: pageBytes.filter + wholeBytes.filter,
    table_index: board.tableBytes() - wholeBytes.filter + pageBytes.index,
  };
  const components: Metric[] = Object.entries(parts).map(([component, value]) => ({
    ...gauge("lsm_memory_bytes", "Memory held, by component", value),
    labels: { component },
  }));
  const bounds = [
    gauge("lsm_block_cache_capacity_bytes", "What the block cache may hold now", cache.capacityBytes),
    gauge("lsm_memtable_capacity_bytes", "Size at which a memtable is frozen now", tuning.memtableBytes),
    ...Object.entries(board.work.memoryMoves).map(([direction, value]) => ({
      ...counter("lsm_memory_moves_total", "Times that the adaptive cache agent moved memory", value),
      labels: { direction },
    })),
    counter("lsm_ghost_hits_total", "Block reads that a slightly larger cache would have spared", cache.ghostHits),
    gauge("lsm_memory_budget_bytes", "Budget of all components together, 0: none", tuning.memoryBudgetBytes),
  ];
  return [...components, ...bounds];
}

function counter(name: string, help: string, value: number): ScalarMetric {
  return { kind: "counter", name, help, value };
}

function gauge(name: string, help: string, value: number): ScalarMetric {
  return { kind: "gauge", name, help, value };
}
