/**
 * Hostile clients against the protocol, with scripts behind it and with the real executor. `LATHE_FUZZ_RUNS` sets the
 * number of inputs (default 6000), `LATHE_TEST_SEED` the first seed; `node scripts/fuzz.ts --protocol mysql` runs it for
 * as long as wanted. What is held for every input: protocol-fuzzer.fixture.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import {
  OpenTransaction,
} from "../../../../concurrency/transaction/model/single_node_acid/open-transaction.ts";
import { SqlSession } from "../../../../query_processing/execution/model/point_api/sql-session.ts";
import { Authenticator } from "./authentication.ts";
import { executorTarget } from "./executor-fuzz.fixture.ts";
import { InboundBuffer } from "../../inbound-buffer.ts";
import { Login } from "./login.ts";
import { PacketReader } from "./packet-reader.ts";
import { emptyCounts, inputsPerBatch, ProtocolBatch, scriptedTarget } from "./protocol-fuzzer.fixture.ts";
import type { FuzzCounts, FuzzTarget } from "./protocol-fuzzer.fixture.ts";
import { ResultWriter } from "./result-writer.ts";
import { SessionStatements } from "./session-statements.ts";
import { Session } from "./session.ts";
import { SharedBudget } from "../../shared-budget.ts";

const runs = Number(process.env["LATHE_FUZZ_RUNS"] ?? 6000);
const firstSeed = Number(process.env["LATHE_TEST_SEED"] ?? 1);

async function fuzz(target: FuzzTarget, inputs: number): Promise<FuzzCounts> {
  const counts = emptyCounts();
  for (let batch = 0; counts.inputs < inputs; batch++) {
    const world = new ProtocolBatch(firstSeed + batch, target, counts, turn);
    await world.run(Math.min(inputsPerBatch, inputs - counts.inputs));
  }
  return counts;
}

for (const [name, target, share] of [["scripts", scriptedTarget, 1], ["the executor", executorTarget, 0.3]] as const) {
  const inputs = Math.ceil(runs * share);
  test(`${inputs} hostile clients, ${name} behind the protocol`, async () => {
    const counts = await fuzz(target, inputs);
    const { answers, errors, closed, statements, seen } = counts;
    for (const [what, times] of Object.entries({ answers, errors, closed, statements })) {
      assert.ok(times > inputs / 20, `${what} were seen ${times} times`);
    }
    assert.ok(seen.size > 50, `${seen.size} kinds of answers were seen`);
  });
}

test("the fuzzer finds planted bugs", async (context) => {
  const plant = async (
    prototype: object, method: string, broken: (...given: never[]) => unknown, target = scriptedTarget,
  ) => {
    const planted = context.mock.method(prototype as Record<string, (...given: never[]) => unknown>, method, broken);
    await assert.rejects(fuzz(target, 4000), /seed \d+, input \d+/, `${method} was broken and nobody noticed`);
    planted.mock.restore();
  };
  // A length that is not checked against the end of its packet.
  await plant(PacketReader.prototype, "take", function unchecked(this: PacketReader, length: number) {
    const start = this.position;
    this.position = start + length;
    return start;
  });
  // Everybody gets in; an answer before the login.
  await plant(Authenticator.prototype, "begin", () => ({ kind: "accepted", fast: true }));
  const { handle } = Login.prototype;
  await plant(Login.prototype, "handle", function talkative(this: Login, reader: PacketReader) {
    const outcome = handle.call(this, reader);
    return outcome === "pending" ? "accepted" : outcome;
  });
  // What a connection took is kept when it has gone.
  await plant(SessionStatements.prototype, "clear", () => {});
  await plant(SessionStatements.prototype, "forgetLongData", () => {});
  await plant(InboundBuffer.prototype, "release", () => {});
  await plant(SharedBudget.prototype, "give", () => {});
  // A transaction that stays open when its client has gone, and one whose rollback forgets the snapshot.
  await plant(SqlSession.prototype, "reset", () => {}, executorTarget);
  await plant(OpenTransaction.prototype, "rollback", () => {}, executorTarget);
  // A command without an answer, or with two.
  await plant(Session.prototype, "conclude", () => {});
  const { ok } = ResultWriter.prototype;
  await plant(ResultWriter.prototype, "ok", function twice(this: ResultWriter) {
    ok.call(this);
    ok.call(this);
  });
});
