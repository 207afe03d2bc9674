import assert from "node:assert/strict";
import { test } from "node:test";
import { loadKnobCatalog } from "../../../../../../knobs/catalog.ts";
import { defaultTuning, optionOfKnob, resolveTuning, tuningOf } from "./options.ts";

const knobs = loadKnobCatalog().filter((knob) => knob.name.startsWith("lsm."));

test("every knob of the catalog sets an option and has its default, and the other way round", () => {
  assert.ok(knobs.length >= 10);
  assert.deepEqual(knobs.map((knob) => knob.name).sort(), Object.keys(optionOfKnob).sort());
  for (const knob of knobs) assert.equal(knob.default, defaultTuning[optionOfKnob[knob.name]], knob.name);
  assert.equal(knobs.filter((knob) => knob.impact === "high").length, 4);
});

test("the engine takes every knob at both ends of its range", () => {
  for (const knob of knobs) {
    for (const value of [knob.min, knob.max, ...(knob.choices ?? [])]) {
      if (value === undefined) continue;
      // The three triggers keep their order; widen or narrow those that are not looked at.
      const low = value === knob.min;
      const triggers: Record<string, number> = low
        ? { "lsm.l0_compaction_trigger": 1, "lsm.l0_slowdown_trigger": 2, "lsm.l0_stall_trigger": 256 }
        : { "lsm.l0_slowdown_trigger": 128, "lsm.l0_stall_trigger": 256 };
      const values = { ...triggers, [knob.name]: value };
      resolveTuning(tuningOf(values));
    }
  }
});

test("knobs of other parts are passed over; a wrong option is named", () => {
  assert.deepEqual(tuningOf({ "wal.segment_bytes": 1, "lsm.block_bytes": 512 }), { blockBytes: 512 });
  assert.throws(() => resolveTuning({ blockBytes: 0 }), {
    code: "INVALID_ARGUMENT",
    message: /blockBytes is 0/,
  });
  assert.throws(() => resolveTuning({ memtableBytes: Number.NaN }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => resolveTuning({ l0CompactionTrigger: 30 }), {
    code: "INVALID_ARGUMENT",
    message: /level 0/,
  });
  assert.throws(() => resolveTuning({ readMode: "never" as "sync" }), { code: "INVALID_ARGUMENT" });
});
