/**
 * What a metamorphic worker is given and what it answers. Programs run on a thread (`gate-thread.ts`).
 */
import { askThread } from "../gate-thread.ts";
import type { KnobSet } from "./store-under-test.ts";
import type { Difference } from "./operation-run.ts";
import type { TrialOutcome } from "./metamorphic-trial.ts";

export type MetamorphicTask =
  | {
      readonly kind: "hunt";
      /** A directory with `kit/` and `parts/`. */
      readonly root: string;
      readonly workDirectory: string;
      readonly firstSeed: number;
      readonly seeds: number;
      /** Programs that are run however long they take. */
      readonly seedsMin: number;
      /** After which no further program is begun. Undefined: without a limit of time. */
      readonly minutes: number | undefined;
      readonly knobSets: number | undefined;
      readonly shrinkAttempts: number;
      /** Since the start, after which a failure is shrunk no further. Undefined: the attempts alone count. */
      readonly shrinkEndMs?: number;
    }
  | { readonly kind: "replay"; readonly root: string; readonly workDirectory: string; readonly text: string };

export interface ReplayOutcome {
  readonly operations: number;
  readonly runs: number;
  readonly difference: Difference | undefined;
  /** Under which knobs it differs. */
  readonly knobs: KnobSet | undefined;
}

export type MetamorphicReply =
  | { readonly kind: "progress"; readonly programs: number; readonly seed: number }
  | { readonly kind: "hunted"; readonly outcome: TrialOutcome }
  | { readonly kind: "replayed"; readonly outcome: ReplayOutcome }
  | { readonly kind: "failed"; readonly code: string | undefined; readonly message: string };

type LastReply = Exclude<MetamorphicReply, { kind: "progress" }>;

/** Resolves with the last reply. Rejects where the thread ends without one, or the signal is aborted. */
export function runOnWorker(
  task: MetamorphicTask,
  signal: AbortSignal | undefined,
  onProgress: (programs: number, seed: number) => void = () => {},
): Promise<LastReply> {
  const lastOf = (reply: MetamorphicReply): LastReply | undefined => {
    if (reply.kind !== "progress") return reply;
    onProgress(reply.programs, reply.seed);
    return undefined;
  };
  return askThread("./metamorphic/metamorphic-worker", task, signal, lastOf).catch((error: unknown) => {
    throw signal?.aborted === true ? signal.reason : error;
  });
}
