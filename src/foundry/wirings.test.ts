/** Wirings of drawn selections, type-checked in one program; `LATHE_TEST_WIRINGS` says how many. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sourceRoot } from "./part-descriptor.ts";
import { roleNames } from "./role.ts";
import { drawWirings, writeWirings } from "./wirings.fixture.ts";

const count = Number(process.env.LATHE_TEST_WIRINGS ?? 200);
const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
const compiler = join(sourceRoot, "..", "node_modules", "typescript", "bin", "tsc");

function compile(directory: string): string {
  const run = spawnSync(process.execPath, [compiler, "--pretty", "false", "-p", directory], { encoding: "utf8" });
  return `${run.stdout}${run.stderr}`.trim();
}

test(`${count} distinct wirings of drawn selections type-check in one program, and a wrong one does not`, () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-wirings-"));
  try {
    const wirings = drawWirings(count, seed);
    assert.equal(wirings.length, count);
    const roles = new Set(wirings.flatMap((one) => one.roles));
    if (count >= 200) assert.deepEqual(roleNames.filter((role) => !roles.has(role)), []);
    assert.ok(writeWirings(directory, wirings) > 100);
    // A fault beside them, of the kind that a wrong wiring would have, proves that the compiler looks.
    const planted = 'import { knobTable } from "../wiring-1/knobs.ts";\nexport const wrong: number = knobTable;\n';
    mkdirSync(join(directory, "planted"));
    writeFileSync(join(directory, "planted", "wrong.ts"), planted);
    const errors = compile(directory).split("\n");
    assert.match(errors[0], /planted\/wrong\.ts\(2,14\): error TS2322/, `seed ${seed}`);
    assert.deepEqual(errors.slice(1).filter((line) => !line.startsWith(" ")), [], `seed ${seed}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
