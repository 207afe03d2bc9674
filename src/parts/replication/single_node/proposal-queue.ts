/** Proposals that wait to be logged, bounded in number and bytes. */
import { LatheError } from "../../../kit/errors.ts";
import type { CommandOutcome } from "../replicated-log.ts";

export interface Proposal {
  readonly command: Uint8Array;
  readonly proposedUs: number;
  readonly resolve: (outcome: CommandOutcome) => void;
  readonly reject: (error: unknown) => void;
}

export interface ProposalLimits {
  readonly proposalsMax: number;
  readonly bytesMax: number;
}

export class ProposalQueue {
  readonly #limits: ProposalLimits;
  #proposals: Proposal[] = [];
  #bytes = 0;

  constructor(limits: ProposalLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#proposals.length;
  }

  /** Errors: BACKPRESSURE. */
  push(proposal: Proposal): void {
    const { proposalsMax, bytesMax } = this.#limits;
    const bytes = this.#bytes + proposal.command.length;
    // A command larger than the whole budget still passes alone; whether it fits anywhere is for the
    // log to say.
    if (this.#proposals.length >= proposalsMax || (bytes > bytesMax && this.#proposals.length > 0)) {
      throw new LatheError(
        "BACKPRESSURE",
        `${this.#proposals.length} commands (${this.#bytes} bytes) wait to be logged; try again later`,
        { details: { waiting: this.#proposals.length, bytes: this.#bytes, proposalsMax, bytesMax } },
      );
    }
    this.#proposals.push(proposal);
    this.#bytes = bytes;
  }

  /** Puts back what was taken last and came to nothing, before anything new was pushed. */
  putBack(proposals: Proposal[]): void {
    this.#proposals = proposals;
    this.#bytes = proposals.reduce((sum, { command }) => sum + command.length, 0);
  }

  takeAll(): Proposal[] {
    const proposals = this.#proposals;
    this.#proposals = [];
    this.#bytes = 0;
    return proposals;
  }
}
