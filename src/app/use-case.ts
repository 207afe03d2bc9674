/**
 * What every use case gets from the surface that calls it (command line, MCP, studio): how to tell where it stands, and
 * how it learns that it should stop.
 */
export interface UseCaseContext {
  /** Aborted by Ctrl-C: stop at the next safe place and return or journal what is there. */
  readonly signal: AbortSignal;
  /** One line of progress for people. Results are returned, not reported. */
  progress(line: string): void;
}
