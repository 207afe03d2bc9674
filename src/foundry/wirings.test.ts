/** Wirings of drawn selections, for drawn contracts and for examples', type-checked in one program; `LATHE_TEST_WIRINGS` says how many. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadContract } from "../contract/parse.ts";
import { sourceRoot } from "./part-descriptor.ts";
import { roleNames } from "./role.ts";
import { compile, contractWirings, drawWirings, writeWirings } from "./wirings.fixture.ts";

const count = Number(process.env.LATHE_TEST_WIRINGS ?? 200);
const contracts = ["taobench-o", "sndv-kv", "embedded", "bulk-ingest", "ycsb-a-relaxed", "session-store"]
  .map((name) => loadContract(join(sourceRoot, "..", "examples", name, "contract.yaml")));
const seed = Number(process.env.LATHE_TEST_SEED ?? 1);

test(`${count} wirings of drawn selections and those that contracts leave open type-check, and a wrong one does not`, () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-wirings-"));
  try {
    const drawn = drawWirings(count, seed);
    assert.equal(drawn.length, count);
    const roles = new Set(drawn.flatMap((one) => one.roles));
    const forContracts = contracts.flatMap((contract) => contractWirings(contract, 8, seed));
    assert.ok(forContracts.length > contracts.length, `${forContracts.length} wirings for contracts`);
    const wirings = [...drawn, ...forContracts];
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
