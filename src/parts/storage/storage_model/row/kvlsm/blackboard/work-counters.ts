/** What writes and background work count. */
export class WorkCounters {
  appliedBatches = 0;
  /** Encoded bytes of the batches applied: the denominator of write amplification. */
  appliedBytes = 0;
  flushes = 0;
  flushedBytes = 0;
  compactions = 0;
  /** Jobs that compactions were split into. */
  subcompactions = 0;
  moves = 0;
  compactionReadBytes = 0;
  compactionWrittenBytes = 0;
  /** Puts that flushes and compactions turned into tombstones, or dropped, because they had expired. */
  expiredDropped = 0;
  /** Entries that flushes and compactions dropped because their range was deleted. */
  rangeDropped = 0;
  /** Files that compactions dropped unread because all of their keys were deleted with ranges. */
  coveredFiles = 0;
  failures = 0;
  /** Proposals of agents that could not be carried out as they were. */
  refusedProposals = 0;
  /** Times that the adaptive cache agent moved memory, by where it went. */
  readonly memoryMoves = { to_cache: 0, to_memtables: 0 };
}
