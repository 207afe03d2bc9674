import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { KnobDefinition } from "./knob-table.ts";
import { knobsInForce, parseServeArguments, serveFlags, serveHelp } from "./serve-arguments.ts";
import { describeFailure, exitReasonOf, exitReasons } from "./serve-exit-codes.ts";
import { errorCodes, LatheError } from "./errors.ts";

test("flags with a value, inline or after", () => {
  const parsed = parseServeArguments(
    ["--data", "/d", "--mysql-port=0", "--metrics-port", "9100", "--knob", "lsm.a=1", "--knob=lsm.b=x"],
  );
  assert.equal(parsed.data, "/d");
  assert.equal(parsed.mysqlPort, 0);
  assert.equal(parsed.metricsPort, 9100);
  assert.deepEqual(parsed.knobs, { "lsm.a": 1, "lsm.b": "x" });
  assert.equal(parsed.mode, "serve");
  assert.equal(parseServeArguments([]).host, "127.0.0.1");
});

test("mistakes say what would have been right", () => {
  const messages: readonly (readonly [string[], string])[] = [
    [["--dta", "x"], "unknown argument --dta; did you mean --data?"],
    [["start"], "unknown argument start"],
    [["--data"], "--data needs a value: --data DIR"],
    [["--mysql-port", "65536"], "--mysql-port 65536: expected a whole number from 0 to 65535"],
    [["--mysql-port", "-1"], "--mysql-port -1: expected a whole number from 0 to 65535"],
    [["--user", "a'b"], "--user a'b: expected 1 to 32 letters, digits, _ . or -"],
    [["--knob", "lsm.a"], "--knob lsm.a: expected name=value, as lsm.block_cache_bytes=67108864"],
  ];
  for (const [argv, message] of messages) {
    assert.throws(() => parseServeArguments(argv), { code: "INVALID_ARGUMENT", message });
  }
});

test("knobs: the product's file, then --knobs, then --knob", () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-serve-arguments-"));
  try {
    const digit = { type: "integer", default: 0, min: 0, max: 9, constraints: [] } as const;
    const knob = (name: string): KnobDefinition => ({ name, ...digit });
    const table = ["a.a", "a.b", "a.c", "a.d"].map(knob);
    writeFileSync(join(directory, "knobs.yaml"), "a.b: 1\na.c: 1\na.d: 1\n");
    writeFileSync(join(directory, "mine.yaml"), "a.c: 2\na.d: 2\n");
    const parsed = { knobFiles: [join(directory, "mine.yaml")], knobs: { "a.d": 3 } };
    assert.deepEqual(knobsInForce(directory, table, parsed), { "a.a": 0, "a.b": 1, "a.c": 2, "a.d": 3 });
    assert.throws(
      () => knobsInForce(directory, table, { knobFiles: ["/nowhere"], knobs: {} }),
      { code: "NOT_FOUND" },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("help lists every flag and every exit code", () => {
  const help = serveHelp("store", "a store", ["mysql", "http"]);
  for (const flag of serveFlags) assert.ok(help.includes(flag.name), flag.name);
  for (const reason of exitReasons) assert.ok(help.includes(reason.meaning));
});

test("flags of a surface are known to products that have it", () => {
  assert.doesNotMatch(serveHelp("store", "a store", ["http"]), /--mysql-port|LATHE_PASSWORD/);
  assert.doesNotMatch(serveHelp("store", "a store"), /--http-port|--make-token/);
  assert.throws(() => parseServeArguments(["--http-port", "1"]), { code: "INVALID_ARGUMENT" });
  assert.throws(() => parseServeArguments(["--mysql-port", "1"], ["http"]), { code: "INVALID_ARGUMENT" });
  const given = ["--make-token", "read, write", "--token-days=7", "--require-token", "--http-port", "0"];
  const parsed = parseServeArguments(given, ["http"]);
  assert.equal(parsed.mode, "make-token");
  assert.deepEqual(parsed.token, { scopes: ["read", "write"], days: 7, subject: "lathe", file: undefined });
  assert.deepEqual([parsed.tokenRequired, parsed.httpPort, parsed.profile], [true, 0, undefined]);
  assert.throws(() => parseServeArguments(["--profile", "quick"], ["http"]), { message: /expected safe or fast/ });
  assert.equal(parseServeArguments(["--profile", "fast"]).profile, "fast");
});

test("a failure is one line with its advice, and each code leads to one exit code at most", () => {
  const locked = new LatheError("LOCKED", "process 12 holds /d");
  assert.equal(
    describeFailure(locked),
    "process 12 holds /d; stop that process, or give this one another --data directory",
  );
  assert.equal(exitReasonOf(locked).exitCode, 3);
  assert.equal(exitReasonOf(new Error("boom")).exitCode, 1);
  for (const code of Object.keys(errorCodes)) {
    assert.ok(exitReasons.filter((reason) => (reason.codes as readonly string[]).includes(code)).length <= 1, code);
  }
});
