/** A growing list of 32-bit hashes, from which a filter is built. */
import { releaseBuffer } from "../../../../../../kit/buffer-release.ts";

const initialCount = 1024;
const noHashes = new Int32Array(0);

export class HashList {
  /** The first `count` elements are the list. */
  view: Int32Array = new Int32Array(initialCount);
  count = 0;

  add(hash: number): void {
    if (this.count === this.view.length) {
      const larger = new Int32Array(this.view.length * 2);
      larger.set(this.view);
      releaseBuffer(this.view);
      this.view = larger;
    }
    this.view[this.count++] = hash;
  }

  /** Ends the list, and frees its memory at once. */
  release(): void {
    releaseBuffer(this.view);
    this.view = noHashes;
    this.count = 0;
  }

  /** Leaves out what is the same as the last one: of sorted keys, those with one prefix stand together. */
  addNew(hash: number): void {
    if (this.count === 0 || this.view[this.count - 1] !== hash) this.add(hash);
  }
}
