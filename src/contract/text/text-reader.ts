/**
 * The port by which a description in free text becomes facts about a workload. The rules of `catalog/text-rules.yaml`
 * stand behind it (`rule-reader.ts`); a language model may stand there, too: whatever it finds is shown with the
 * words that it comes from, and what it did not use.
 */
export interface TextFact {
  /** A name of `factNames`, or `need` with a name of `catalog/needs.yaml`. */
  readonly name: string;
  readonly value: string | number;
  /** 0 to 1. */
  readonly confidence: number;
  /** The words that say so. */
  readonly words: string;
}

export interface TextReading {
  /** What counts, each fact once; needs may come more than once. */
  readonly facts: readonly TextFact[];
  /** What was understood and outdone by something more confident, or denied without saying anything else. */
  readonly unused: readonly { readonly words: string; readonly because: string }[];
  /** Words that nothing was made of, in their order. */
  readonly notUnderstood: readonly string[];
}

export interface TextReader {
  read(text: string): TextReading | Promise<TextReading>;
}

export const factNames = [
  "protocol", "mix", "transactions", "durability", "loss_window_ms", "placement", "nodes", "shards", "memory_mib",
  "p99_us", "rows", "clients", "reads_per_second", "writes_per_second", "operations_per_second", "row_cache",
  "read_percent", "value_bytes",
] as const;
