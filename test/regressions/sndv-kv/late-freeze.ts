/**
 * SNDV-KV's rotation of the memtable, planted in Lathe's own engine: a memtable that is being dumped goes on taking
 * writes until its table is there, and only then another takes its place.
 *
 *   1. `freeze` puts the memtable on the list of frozen ones, and leaves it the active one.
 *   2. `retireOldestImmutable` puts the new one in its place, with nothing of what came in between.
 * Jobs of a simulated world run on the thread of the test, and so with the plant.
 */
import { Blackboard } from "../../../src/parts/storage/storage_model/row/kvlsm/blackboard/blackboard.ts";

/** Plants it in every engine of the process; returns how to undo it. */
export function plantLateFreeze(): () => void {
  const { prototype } = Blackboard;
  const before = { freeze: prototype.freeze, retireOldestImmutable: prototype.retireOldestImmutable };
  const successors = new WeakMap<Blackboard["memtable"], Blackboard["memtable"]>();
  prototype.freeze = function (this: Blackboard) {
    const dumped = this.memtable;
    if (successors.has(dumped) || !before.freeze.call(this)) return false;
    successors.set(dumped, this.memtable);
    this.memtable = dumped;
    return true;
  };
  prototype.retireOldestImmutable = function (this: Blackboard) {
    this.memtable = successors.get(this.memtable) ?? this.memtable;
    before.retireOldestImmutable.call(this);
  };
  return () => void Object.assign(prototype, before);
}
