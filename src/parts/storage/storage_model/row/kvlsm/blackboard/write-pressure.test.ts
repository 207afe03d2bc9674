import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaultTuning } from "./options.ts";
import { type PressureView, rateUnder, writePressure } from "./write-pressure.ts";

const none: PressureView = { immutableCount: 0, memtableBytes: 0, l0Files: 0, debtBytes: 0, halted: false };
const limits = { ...defaultTuning, memtableBytes: 1000, immutableMemtablesMax: 2, debtSlowdownBytes: 1000 };
const pressure = (view: Partial<PressureView>) => writePressure({ ...none, ...view }, limits).pressure;
const cause = (view: Partial<PressureView>) => writePressure({ ...none, ...view }, limits).cause;

test("each of the three begins at its soft limit, rises, and stops writers at its hard limit", () => {
  assert.equal(pressure({}), 0);
  assert.equal(pressure({ memtableBytes: 999 }), 0, "nothing is frozen");
  assert.equal(pressure({ immutableCount: 1, memtableBytes: 999 }), 0, "there is room for another one");
  assert.equal(pressure({ immutableCount: 2, memtableBytes: 500 }), 0);
  assert.equal(pressure({ immutableCount: 2, memtableBytes: 750 }), 0.5);
  assert.ok(pressure({ immutableCount: 2, memtableBytes: 999 }) < 1);
  assert.equal(pressure({ immutableCount: 2, memtableBytes: 1000 }), 1);
  assert.equal(pressure({ immutableCount: 3 }), 1);
  assert.equal(pressure({ l0Files: limits.l0SlowdownTrigger - 1 }), 0);
  assert.ok(pressure({ l0Files: limits.l0SlowdownTrigger }) > 0);
  assert.ok(pressure({ l0Files: limits.l0StallTrigger - 1 }) < 1);
  assert.equal(pressure({ l0Files: limits.l0StallTrigger }), 1);
  assert.equal(pressure({ debtBytes: 1000 }), 0);
  assert.equal(pressure({ debtBytes: 2500 }), 0.5);
  assert.equal(pressure({ debtBytes: 4000 }), 1);
  assert.equal(cause({ debtBytes: 2500 }), "debt");
  assert.equal(cause({ l0Files: 19, debtBytes: 2500 }), "level0");
  assert.equal(cause({ immutableCount: 3, l0Files: 99, debtBytes: 9999 }), "memtables");
});

test("after damage only memtables stop writers", () => {
  assert.equal(pressure({ halted: true, l0Files: 500, debtBytes: 1e12 }), 0);
  assert.equal(pressure({ halted: true, immutableCount: 3 }), 1);
});

test("more of anything never lowers the pressure, and more pressure never raises the rate", () => {
  const viewArbitrary = fc.record({
    immutableCount: fc.nat(4), memtableBytes: fc.nat(2000), l0Files: fc.nat(30), debtBytes: fc.nat(6000),
    halted: fc.constant(false),
  });
  fc.assert(
    fc.property(viewArbitrary, viewArbitrary, (a, b) => {
      const more = {
        immutableCount: Math.max(a.immutableCount, b.immutableCount),
        // A memtable that was just frozen leaves an empty one, so these two go together.
        memtableBytes: a.immutableCount === b.immutableCount ? Math.max(a.memtableBytes, b.memtableBytes) : 2000,
        l0Files: Math.max(a.l0Files, b.l0Files),
        debtBytes: Math.max(a.debtBytes, b.debtBytes),
        halted: false,
      };
      assert.ok(pressure(more) >= pressure(a));
      if (pressure(more) < 1) assert.ok(rateUnder(pressure(more), limits) <= rateUnder(pressure(a), limits));
    }),
  );
  assert.equal(rateUnder(0, limits), 16 * limits.slowdownBytesPerSecond);
  assert.equal(rateUnder(0.5, limits), limits.slowdownBytesPerSecond);
});
