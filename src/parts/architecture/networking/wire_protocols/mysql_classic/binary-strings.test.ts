/** Texts with binary strings: what becomes readable, byte for byte, and what does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { withHexStrings } from "./binary-strings.ts";

const bytes = (...pieces: (string | Uint8Array)[]) => Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
const raw = Uint8Array.of(0xff, 0xc0, 0x80);

test("bytes behind _binary become digits; everything else stays as it was", () => {
  const text = bytes("INSERT INTO `t'` VALUES ('é''_binary', _BINARY \n'", raw, "\\0\\'''\\%', \"x\") -- '", "\n, _binary\"", raw, '"');
  assert.equal(
    withHexStrings(text),
    "INSERT INTO `t'` VALUES ('é''_binary', _BINARY \nX'ffc0800027275c25', \"x\") -- '\n, _binaryX'ffc080'",
  );
});

test("other bytes that are not UTF-8 are refused", () => {
  for (const text of [
    bytes("SELECT '", raw, "'"),
    bytes("SELECT x_binary'", raw, "'"),
    bytes("SELECT '_binary'", raw),
    bytes("-- _binary'", raw, "'"),
    bytes("/* _binary'", raw, "' */"),
    bytes("SELECT `_binary'", raw, "'`"),
    bytes("SELECT _binary'", raw),
    bytes("SELECT _binary'", raw, "\\'"),
    bytes("SELECT _latin1'", raw, "'"),
  ]) {
    assert.equal(withHexStrings(text), undefined, text.toString("latin1"));
  }
});

test("any bytes, escaped as drivers do, come back; any text at all ends", () => {
  const escape = (value: Uint8Array) => Buffer.concat([...value].map((byte) => {
    if (byte === 0) return Buffer.from("\\0");
    return byte === 0x27 || byte === 0x5c ? Buffer.of(0x5c, byte) : Buffer.of(byte);
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 10 }), (value, second) => {
    const sql = withHexStrings(bytes("VALUES (_binary'", escape(value), "',_binary '", escape(second), "')"));
    const hex = (one: Uint8Array) => Buffer.from(one).toString("hex");
    assert.equal(sql, `VALUES (_binaryX'${hex(value)}',_binary X'${hex(second)}')`);
  }));
  const pieces = fc.constantFrom("_binary", "'", '"', "`", "\\", "--", " ", "/*", "*/", "#", "\n", "é", "X'");
  fc.assert(fc.property(fc.array(fc.oneof(pieces.map((one) => Buffer.from(one)), fc.uint8Array({ maxLength: 3 }))), (list) => {
    const sql = withHexStrings(bytes(...list));
    assert.ok(sql === undefined || sql.isWellFormed());
  }));
});
