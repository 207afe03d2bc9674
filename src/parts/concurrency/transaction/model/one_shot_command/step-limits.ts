/** Limits of a step. The same on all replicas, hence constants: what a command does must not depend on a setting. */

/** Rows that a step examines, and changes, at most. */
export const rowsMax = 100_000;
