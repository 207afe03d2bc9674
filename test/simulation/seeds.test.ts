/**
 * The seeds of CI: nothing is found, everything that should sometimes happen happens, and equal seeds give equal runs.
 * `LATHE_TEST_SEEDS` sets how many seeds every subject gets.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runTask } from "../../src/app/simulation/simulation-task.ts";
import { subjectNames } from "../../src/app/simulation/subjects.ts";
import { Coverage } from "../../src/simulation/coverage.ts";

const count = Number(process.env.LATHE_TEST_SEEDS ?? 60);
const seeds = Array.from({ length: count }, (_, at) => at + 1);
const coverage = new Coverage();

/** Over the seeds of CI each of these has to happen. */
const expected = [
  "crash", "crash_during_recovery", "kill", "reopen", "open_refused", "checkpoint", "snapshot_read",
  "unacknowledged_tail_lost", "unacknowledged_tail_kept", "write_refused", "corruption_reported",
  "failed:IO_ERROR", "failed:DISK_FULL", "failed:JOB_LOST", "evicted_page_cache",
  "fault:crash", "fault:torn", "fault:ioError", "fault:diskFull", "fault:syncError", "fault:lostWrite",
  "fault:lostSync", "fault:misdirected", "fault:flippedWrite", "fault:flippedRead",
  "lsm_flushes_total", "lsm_compactions_total", "lsm_moves_total", "lsm_stalls_total", "lsm_slowdowns_total",
  "lsm_background_failures_total", "lsm_block_cache_hits_total", "lsm_filter_rejections_total",
  "job_with_snapshots", "tombstone_dropped", "compaction_of_several_files", "table_removed",
  "orphan_table_removed", "orphan_manifest_removed", "manifest_switched_while_open", "log:lsm_manifest_torn_tail",
  "wal_syncs_total", "wal_inline_segments_total", "segment_recycled", "segment_reused", "segment_removed",
  "log:simulation.thread_died", "log:wal.failed", "row_cache_hits_total",
];

for (const subject of subjectNames) {
  test(`${subject}: ${count} seeds`, async () => {
    const outcome = await runTask({ kind: "seeds", subject, seeds, checkDeterminism: false, shrink: true });
    coverage.add(outcome.coverage);
    const told = outcome.failures.map(({ seed, message }) => `seed ${seed}: ${message}`);
    assert.deepEqual(told, [], `lathe sim --scenario ${subject} --seed N --seeds 1`);
    assert.equal(outcome.runs, count);
  });

  test(`${subject}: two runs of one seed are the same, event by event`, async () => {
    const few = seeds.slice(0, 8);
    const outcome = await runTask({ kind: "seeds", subject, seeds: few, checkDeterminism: true, shrink: false });
    assert.deepEqual(outcome.failures.map(({ message }) => message), []);
    assert.ok(outcome.events > 1000, `${outcome.events} events`);
  });
}

test("what should sometimes happen has happened", () => {
  assert.deepEqual(expected.filter((event) => !(coverage.counts[event] > 0)), []);
});
