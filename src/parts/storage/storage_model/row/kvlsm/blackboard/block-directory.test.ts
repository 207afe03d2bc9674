import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commonPrefixLength } from "../../../../../../kit/compare.ts";
import { Block } from "./block.ts";
import { BlockBuilder } from "./block-builder.ts";
import { Lookup, lookupAbsent } from "./lookup.ts";
import { type Entry, entriesArbitrary, keyArbitrary } from "./sorted-entries.fixture.ts";

const owner = { path: "test", forgetBlock: () => undefined };
const indexes = [0, 3, 10, 2 ** 40, Infinity];

function blockOf(entries: readonly Entry[], restartInterval: number, roomBytes: number): Block {
  const builder = new BlockBuilder(restartInterval);
  let before: Uint8Array = new Uint8Array(0);
  for (const { key, index, kind, value } of entries) {
    const common = commonPrefixLength(before, 0, before.length, key, 0, key.length);
    builder.add(common, key, 0, key.length, index, kind, value, 0, value.length);
    before = key;
  }
  const bytes = builder.finish();
  const buffer = new Uint8Array(bytes.length + roomBytes).fill(0xaa);
  buffer.set(bytes);
  return new Block(buffer, bytes.length, owner, 0);
}

/** What searches for the keys at all indexes say. */
function answers(block: Block, targets: readonly Uint8Array[]): string[] {
  const lookup = new Lookup();
  return targets.flatMap((target) =>
    indexes.map((indexMax) => {
      const kind = block.find(target, indexMax, lookup);
      return kind === lookupAbsent ? "absent" : `${kind} ${lookup.valueStart} ${lookup.valueEnd}`;
    }),
  );
}

/** Keys beside those that are there: longer, shorter, with another last byte. */
function neighbours({ key }: Entry): Uint8Array[] {
  const last = key[key.length - 1];
  const other = (byte: number) => Uint8Array.from([...key.subarray(0, -1), byte & 255]);
  const longer = (byte: number) => Uint8Array.from([...key, byte]);
  const shorter = key.length > 1 ? [key.subarray(0, -1)] : [];
  return [key, other(last + 1), other(last - 1), longer(0), longer(1), ...shorter];
}

test("a block says the same with its directory as without", () => {
  fc.assert(
    fc.property(
      entriesArbitrary.filter((entries) => entries.length > 0),
      fc.array(keyArbitrary, { maxLength: 8 }),
      fc.constantFrom(1, 2, 16),
      (entries, others, restartInterval) => {
        const block = blockOf(entries, restartInterval, 2000);
        const targets = [...others, ...entries.flatMap(neighbours)];
        const before = answers(block, targets);
        const whole = block.bytes.slice(0, block.bytes.length - 2000);
        block.noteHit();
        assert.equal(block.hasDirectory, true);
        assert.deepEqual(answers(block, targets), before);
        assert.deepEqual(block.bytes.slice(0, whole.length), whole);
      },
    ),
    { numRuns: 300 },
  );
});

test("without room for a directory, or with offsets too large for it, a block is searched as before", () => {
  const entryOf = (id: number, valueBytes: number): Entry => ({
    key: Uint8Array.of(id),
    index: 1,
    kind: 1,
    value: new Uint8Array(valueBytes),
  });
  const few = [entryOf(1, 5), entryOf(2, 5)];
  const large = [entryOf(1, 50_000), entryOf(2, 50_000), entryOf(3, 1)];
  for (const [entries, roomBytes] of [[few, 11], [large, 5000]] as const) {
    const block = blockOf(entries, 16, roomBytes);
    const targets = entries.map(({ key }) => key);
    const before = answers(block, targets);
    block.noteHit();
    assert.equal(block.hasDirectory, false);
    assert.deepEqual(answers(block, targets), before);
  }
  const fits = blockOf(few, 16, 12);
  fits.noteHit();
  assert.equal(fits.hasDirectory, true);
});
