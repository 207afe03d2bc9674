/**
 * FrozenWalk: the entries of a frozen memtable from the first to the last, as a flush job sees them.
 *
 * It sorts the nodes in memory of its own and reads neither links nor heights: those the owner's thread may write
 * meanwhile, for a scan.
 */
import type { ShownEntry } from "./entry-iterator.ts";
import {
  type FrozenMemtable, nodeHash, nodeKeyLength, nodeKeyStart, nodeVersion, versionIndex, versionOlder,
} from "./memtable.ts";
import { NodeOrder } from "./node-order.ts";

export class FrozenWalk implements ShownEntry {
  readonly keyBytes: Uint8Array;
  keyStart = 0;
  keyEnd = 0;
  index = 0;
  kind = 0;
  readonly valueBytes: Uint8Array;
  valueStart = 0;
  valueEnd = 0;
  /** Of the key, as the memtable has it. */
  hash = 0;
  /** Whether the entry is the newest of its key. */
  isNewKey = false;
  readonly #words: Int32Array;
  readonly #nodes: Int32Array;
  #position = -1;
  #version = 0;

  constructor(memtable: FrozenMemtable) {
    const bytes = new Uint8Array(memtable.bytes);
    this.keyBytes = bytes;
    this.valueBytes = bytes;
    this.#words = new Int32Array(memtable.words);
    this.#nodes = this.#words.slice(this.#words.length - memtable.keyCount);
    new NodeOrder(bytes, this.#words, this.#nodes).sort();
  }

  /** To the next entry; before the first call there is none. */
  next(): boolean {
    const words = this.#words;
    this.#version = this.#version === 0 ? 0 : words[this.#version + versionOlder];
    this.isNewKey = this.#version === 0;
    if (this.isNewKey) {
      if (++this.#position >= this.#nodes.length) return false;
      const node = this.#nodes[this.#position];
      this.keyStart = words[node + nodeKeyStart];
      this.keyEnd = this.keyStart + words[node + nodeKeyLength];
      this.hash = words[node + nodeHash];
      this.#version = words[node + nodeVersion];
    }
    this.index = versionIndex(words, this.#version);
    this.kind = words[this.#version + 2];
    this.valueStart = words[this.#version + 3];
    this.valueEnd = this.valueStart + words[this.#version + 4];
    return true;
  }
}
