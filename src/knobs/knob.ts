/**
 * A knob: a typed parameter of a part that a person or a search may set.
 *
 * Knobs live as data in `catalog/knobs/*.yaml`; help, docs, the product's `knobs.yaml` and the search space come from
 * there. The shipped defaults are the baseline of every study.
 */
export type KnobType = "integer" | "number" | "choice" | "boolean";

export type KnobValue = number | string | boolean;

export interface Knob {
  /** `<part>.<noun_unit>`, for example `lsm.block_cache_bytes`. */
  readonly name: string;
  readonly type: KnobType;
  /** Path of the leaf that it belongs to; products without that leaf do not carry it. */
  readonly leaf: string;
  readonly description: string;
  readonly unit?: string | undefined;
  readonly default: KnobValue;
  /** Inclusive bounds of integers and numbers. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** How a search should step through the range. */
  readonly scale?: "linear" | "log2" | undefined;
  readonly choices?: readonly string[] | undefined;
  /** `high` knobs are in the default search space. */
  readonly impact: "high" | "medium" | "low";
  /**
   * What setting it wrongly costs. Knobs of `durability` and `consistency` are never in a space unless the contract
   * says so.
   */
  readonly risk: "none" | "memory" | "latency" | "durability" | "consistency";
  /**
   * `live`: can be changed while the product runs. `files`: so too, and takes effect as files are rewritten, so a
   * candidate needs a checkpoint of its own. `restart`: only when the product is started.
   */
  readonly effect: "restart" | "live" | "files";
  /** Constraints against other knobs, as `lsm.memtable_bytes <= lsm.memory_bytes / 2`. */
  readonly constraints: readonly string[];
}
