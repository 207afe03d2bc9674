import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { formatScalar, knobValuesOf, parseKnobArgument, parseKnobFile } from "./knob-file.ts";

test("names, values and comments", () => {
  const text = '# head\n\nlsm.bytes: 64   # trailing\nlsm.mode: adaptive\nlsm.on: true\nlsm.share: 0.5\nlsm.text: "12"\r\n';
  assert.deepEqual(knobValuesOf(parseKnobFile(text, "knobs.yaml")), {
    "lsm.bytes": 64, "lsm.mode": "adaptive", "lsm.on": true, "lsm.share": 0.5, "lsm.text": "12",
  });
});

test("every wrong line is named", () => {
  const text = "lsm.a: 1\n  lsm.b: 2\nlsm.c:3\nlsm.a: 4\n- lsm.d\nlsm.e: [1]\nlsm.f: &x 1\nlsm.g:\n";
  assert.throws(() => parseKnobFile(text, "knobs.yaml"), (error: Error & { code: string }) => {
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.equal(error.message, [
      'knobs.yaml:2: expected `name: value` (no indentation), found "  lsm.b: 2"',
      'knobs.yaml:3: expected `name: value` (no indentation), found "lsm.c:3"',
      "knobs.yaml:4: lsm.a is there already, in line 1",
      'knobs.yaml:5: expected `name: value` (no indentation), found "- lsm.d"',
      'knobs.yaml:6: expected `name: value` (no indentation), found "lsm.e: [1]"',
      'knobs.yaml:7: expected `name: value` (no indentation), found "lsm.f: &x 1"',
      'knobs.yaml:8: expected `name: value` (no indentation), found "lsm.g:"',
    ].join("\n"));
    return true;
  });
  assert.throws(() => parseKnobFile("#".repeat(2 << 20), "knobs.yaml"), { code: "LIMIT_EXCEEDED" });
});

test("what is accepted means the same to a YAML library, and values survive a round trip", () => {
  const scalar = fc.oneof(
    fc.integer(), fc.boolean(), fc.double(
      { noNaN: true, noDefaultInfinity: true },
    ).filter((value) => !Object.is(value, -0)),
    fc.stringMatching(/^[a-z][a-z0-9_/-]{0,20}$/),
    fc.constantFrom("true", "12", "0x10", "-1.5", "a b"),
  );
  fc.assert(fc.property(scalar, (value) => {
    const text = `lsm.knob: ${formatScalar(value)}\n`;
    assert.deepEqual(knobValuesOf(parseKnobFile(text, "f")), { "lsm.knob": value });
    if (value !== "null" && value !== "0x10") assert.deepEqual(parse(text), { "lsm.knob": value });
  }));
});

test("no text makes the reader fail in another way", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    try {
      parseKnobFile(text, "f");
    } catch (error) {
      assert.equal((error as { code: string }).code, "INVALID_ARGUMENT");
    }
  }));
});

test("--knob name=value", () => {
  assert.deepEqual(parseKnobArgument("lsm.a=12"), ["lsm.a", 12]);
  assert.deepEqual(parseKnobArgument("lsm.a=sync"), ["lsm.a", "sync"]);
  for (const text of ["lsm.a", "=1", "lsm.a="]) {
    assert.throws(() => parseKnobArgument(text), { code: "INVALID_ARGUMENT" });
  }
});
