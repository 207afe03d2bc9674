/** What reads count. Plain fields, because every read increments some of them. */
export class ReadCounters {
  pointReads = 0;
  /**
   * Sorted runs in which a point read searched: a memtable that had the key, or a table that its filter let
   * through.
   */
  runsTouched = 0;
  filterRejections = 0;
  /** Searches of a table that let the key through and did not have it. */
  filterFalsePositives = 0;
  /** Tables that a scan passed over because their prefix filter lacks the prefix. */
  prefixRejections = 0;
  slowReads = 0;
  scans = 0;
  scannedEntries = 0;
  /** Entries that reads passed over because they had expired. */
  expiredEntries = 0;
}
