/**
 * Walks a memtable in both directions: the one that takes writes, or a frozen one, on the owner's thread.
 *
 * What is in the memtable when the iterator is made is in order. A memtable that grows under the iterator is no
 * trouble: nodes and versions are only ever added, and whoever reads at an index skips what is newer.
 */
import { type EntryIterator, noBytes } from "./entry-iterator.ts";
import {
  firstNodeFrom,
  headNode,
  type Memtable,
  nodeBefore,
  nodeKeyLength,
  nodeKeyStart,
  nodeNext,
  nodeVersion,
  versionIndex,
  versionOlder,
} from "./memtable.ts";

export class MemtableIterator implements EntryIterator {
  valid = false;
  keyBytes: Uint8Array = noBytes;
  keyStart = 0;
  keyEnd = 0;
  index = 0;
  kind = 0;
  valueBytes: Uint8Array = noBytes;
  valueStart = 0;
  valueEnd = 0;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  #node = 0;
  #version = 0;

  constructor(memtable: Memtable) {
    memtable.order();
    this.#bytes = memtable.bytes;
    this.#words = memtable.words;
    this.keyBytes = memtable.bytes;
    this.valueBytes = memtable.bytes;
  }

  seekFirst(): void {
    this.#toNewest(this.#words[headNode + nodeNext]);
  }

  seekLast(): void {
    this.#toOldest(this.#words[headNode + nodeBefore]);
  }

  seek(target: Uint8Array): void {
    this.#toNewest(firstNodeFrom(this.#bytes, this.#words, target, 0, target.length));
  }

  seekBefore(target: Uint8Array): void {
    const node = firstNodeFrom(this.#bytes, this.#words, target, 0, target.length);
    this.#toOldest(this.#words[(node === 0 ? headNode : node) + nodeBefore]);
  }

  next(): void {
    const older = this.#words[this.#version + versionOlder];
    if (older !== 0) this.#to(this.#node, older);
    else this.#toNewest(this.#words[this.#node + nodeNext]);
  }

  previous(): void {
    const words = this.#words;
    let version = words[this.#node + nodeVersion];
    if (version === this.#version) {
      this.#toOldest(words[this.#node + nodeBefore]);
      return;
    }
    while (words[version + versionOlder] !== this.#version) version = words[version + versionOlder];
    this.#to(this.#node, version);
  }

  close(): void {
    this.valid = false;
  }

  #toNewest(node: number): void {
    this.#to(node, node === 0 ? 0 : this.#words[node + nodeVersion]);
  }

  #toOldest(node: number): void {
    if (node === 0) return this.#to(0, 0);
    const words = this.#words;
    let version = words[node + nodeVersion];
    while (words[version + versionOlder] !== 0) version = words[version + versionOlder];
    this.#to(node, version);
  }

  #to(node: number, version: number): void {
    this.#node = node;
    this.#version = version;
    this.valid = node !== 0;
    if (node === 0) return;
    const words = this.#words;
    this.keyStart = words[node + nodeKeyStart];
    this.keyEnd = this.keyStart + words[node + nodeKeyLength];
    this.index = versionIndex(words, version);
    this.kind = words[version + 2];
    this.valueStart = words[version + 3];
    this.valueEnd = this.valueStart + words[version + 4];
  }
}
