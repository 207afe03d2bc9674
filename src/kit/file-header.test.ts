import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFileHeader, encodeFileHeader, fileHeaderBytes, isDamage, noSelectionHash } from "./file-header.ts";

const selectionHash = "0123456789abcdef0123456789abcdef";
const header = { magic: "LATHETST", version: 3, selectionHash };
const expected = { magic: "LATHETST", versions: [2, 3], selectionHash };

test("a header is accepted by the product that wrote it", () => {
  const bytes = encodeFileHeader(header);
  assert.equal(bytes.length, fileHeaderBytes);
  assert.equal(checkFileHeader(bytes, expected, "x"), 3);
  const longer = { ...header, selectionHash: `${selectionHash}ffff` };
  assert.deepEqual(encodeFileHeader(longer), bytes);
});

test("the layout never changes", () => {
  assert.equal(
    Buffer.from(encodeFileHeader(header)).toString("hex"),
    "4c41544845545354030000000123456789abcdef0123456789abcdef09919497",
  );
});

test("foreign files, versions and selections are refused with the way out", () => {
  const bytes = encodeFileHeader(header);
  const check = (change: Partial<typeof expected>) => () => checkFileHeader(bytes, { ...expected, ...change }, "f.sst");
  assert.throws(check({ magic: "LATHEOTH" }), { code: "FORMAT_UNKNOWN", message: /f\.sst begins with "LATHETST"/ });
  assert.throws(check({ versions: [4] }), { code: "FORMAT_UNKNOWN", message: /version 3; .* reads 4: open it with/ });
  const foreign = { code: "FORMAT_UNKNOWN", message: /another selection.*export/ };
  assert.throws(check({ selectionHash: noSelectionHash }), foreign);
});

test("a whole header of another kind and selection is told by its selection, which is no damage", () => {
  const bytes = encodeFileHeader(header);
  const refusal = (change: Partial<typeof expected>, damaged?: number) => {
    const read = bytes.slice();
    if (damaged !== undefined) read[damaged] ^= 1;
    try {
      checkFileHeader(read, { ...expected, magic: "LATHEOTH", ...change }, "f.sst");
    } catch (error) {
      return { message: (error as Error).message, damage: isDamage(error) };
    }
    return undefined;
  };
  const other = refusal({ selectionHash: noSelectionHash });
  assert.match(other?.message ?? "", /f\.sst was written by a product with another selection/);
  assert.equal(other?.damage, false);
  for (const one of [refusal({}), refusal({ selectionHash: noSelectionHash }, 20)]) {
    assert.match(one?.message ?? "", /f\.sst begins with "LATHETST"/);
    assert.equal(one?.damage, true);
  }
});

test("every flipped bit and every cut is found", () => {
  const bytes = encodeFileHeader(header);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >>> 3] ^= 1 << (bit & 7);
    assert.throws(() => checkFileHeader(damaged, expected, "x"), (error: { code: string }) =>
      ["CORRUPTION", "FORMAT_UNKNOWN"].includes(error.code),
    );
  }
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => checkFileHeader(bytes.subarray(0, length), expected, "x"), { code: "CORRUPTION" });
  }
});
