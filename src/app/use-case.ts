/**
 * What every use case gets from the surface that calls it (command line, MCP, studio): how to tell where it stands, and
 * how it learns that it should stop.
 */
/** As a study tells it (`study/progress.ts`). */
export interface Status {
  readonly stage: string;
  /** Number of the trial under way, from 1; 0 before the first. */
  readonly trial: number;
  readonly of: number | undefined;
  /** Undefined where no time limits it. */
  readonly secondsLeft: number | undefined;
  readonly incumbent: { readonly knobs: Readonly<Record<string, unknown>> };
  readonly text: string;
}

export interface UseCaseContext {
  /** Aborted by Ctrl-C: stop at the next safe place and return or journal what is there. */
  readonly signal: AbortSignal;
  /** One line of progress for people. Results are returned, not reported. */
  progress(line: string): void;
  /** Where a long job stands; a surface shows the newest in place of the one before. */
  status(status: Status): void;
}
