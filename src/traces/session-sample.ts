/**
 * SessionSample: which sessions of a log are looked at, where only a sample of them is: the first, and from there every
 * n-th in the order in which they come, each whole. The same log gives the same sample.
 */
import type { LogEvent } from "./statement-log.ts";
import type { WorkloadObserver } from "./workload-observer.ts";

export interface SampleCounts {
  /** Every how many-th session was taken. */
  readonly every: number;
  sessions: number;
  sessionsTaken: number;
  statements: number;
  statementsTaken: number;
}

/** As many are known at once; the one that is known for longest counts anew if it says something more. */
const sessionsMax = 100_000;

export class SessionSample {
  readonly counts: SampleCounts;
  readonly #workload: WorkloadObserver;
  readonly #taken = new Map<string, boolean>();

  constructor(every: number, workload: WorkloadObserver) {
    this.counts = { every, sessions: 0, sessionsTaken: 0, statements: 0, statementsTaken: 0 };
    this.#workload = workload;
  }

  take(event: LogEvent): void {
    const taken = this.takes(event.session, event.kind === "statement");
    if (event.kind === "disconnect") this.#taken.delete(event.session);
    if (taken) this.#workload.take(event);
    else this.#workload.pass(event);
  }

  /** Whether a session is in the sample. */
  takes(session: string, isStatement: boolean): boolean {
    const { counts } = this;
    let taken = this.#taken.get(session);
    if (taken === undefined) {
      taken = counts.sessions % counts.every === 0;
      counts.sessions++;
      if (taken) counts.sessionsTaken++;
      if (this.#taken.size >= sessionsMax) this.#taken.delete(this.#taken.keys().next().value ?? "");
      this.#taken.set(session, taken);
    }
    if (!isStatement) return taken;
    counts.statements++;
    if (taken) counts.statementsTaken++;
    return taken;
  }
}

export function sampleText({ every, sessions, sessionsTaken, statements, statementsTaken }: SampleCounts): string {
  const what = `${sessionsTaken} of ${sessions} sessions (the first, and one in ${every} from there), ` +
    `${statementsTaken} of ${statements} statements`;
  if (sessions === 1 && every > 1) return "sessions cannot be told apart, or there is one alone: all of it was taken";
  return `a sample: ${what}; the others were left out, and counts are estimates from these`;
}
