import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { LatheError } from "../errors.ts";
import { createNodeEnv } from "./node-env.ts";

test("the clock: monotonic time goes on, timers fire not before their time and can be cancelled", async () => {
  const { clock } = createNodeEnv();
  const startUs = clock.monotonicUs();
  let cancelled = false;
  clock.setTimer(1, () => (cancelled = true)).cancel();
  // A timer alone does not keep the process alive, so something else must.
  const alive = setInterval(() => undefined, 1000);
  await new Promise<void>((resolve) => void clock.setTimer(20, resolve));
  clearInterval(alive);
  assert.ok(clock.monotonicUs() - startUs >= 19_000);
  assert.equal(cancelled, false);
  const beforeMs = Date.now();
  const nowMs = clock.nowMs();
  assert.ok(nowMs >= beforeMs - 1000 && nowMs <= Date.now() + 1000, `${nowMs} and ${beforeMs}`);
});

test("a timer keeps the process alive where it is told to, and only then", () => {
  const moduleUrl = JSON.stringify(new URL("./node-env.ts", import.meta.url).href);
  const printedBy = (delayMs: number, call: string) => {
    const source = `
      import { createNodeEnv } from ${moduleUrl};
      const { clock } = createNodeEnv();
      clock.setTimer(${delayMs}, () => console.log("fired"))${call};`;
    return String(spawnSync(process.execPath, ["--input-type=module", "-e", source]).stdout);
  };
  // So late that no process comes to it by being slow.
  assert.equal(printedBy(600_000, ""), "");
  assert.equal(printedBy(60, ".keepAlive()"), "fired\n");
});

test("deferred calls come in a later turn, in order", async () => {
  const { clock } = createNodeEnv();
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    clock.defer(() => order.push("first"));
    clock.defer(() => resolve(void order.push("second")));
    queueMicrotask(() => order.push("microtask"));
    order.push("now");
  });
  assert.deepEqual(order, ["now", "microtask", "first", "second"]);
});

test("random numbers cover their range, and bytes differ", () => {
  const { random } = createNodeEnv();
  const numbers = Array.from({ length: 5000 }, () => random.u32());
  assert.ok(numbers.every((number) => Number.isInteger(number) && number >= 0 && number < 2 ** 32));
  assert.ok(new Set(numbers).size > 4990);
  assert.ok(numbers.some((number) => number >= 2 ** 31));
  assert.equal(random.bytes(20).length, 20);
  assert.notDeepEqual(random.bytes(20), random.bytes(20));
});

test("log lines are JSON, above the level, whatever the fields", () => {
  const lines: string[] = [];
  const { log } = createNodeEnv({ logLevel: "warn", logStream: { write: (line) => lines.push(line) } });
  log.info("unheard");
  log.warn("odd", { big: 1n, missing: undefined });
  log.error("failed", { error: new LatheError("IO_ERROR", "broken", { cause: new Error("root") }) });
  const parsed = lines.map((line) => JSON.parse(line) as { level: string; event: string; big?: string; error?: object });
  assert.deepEqual(parsed.map(({ level, event }) => [level, event]), [["warn", "odd"], ["error", "failed"]]);
  assert.equal(parsed[0].big, "1");
  assert.match(JSON.stringify(parsed[1].error), /"code":"IO_ERROR".*"message":"broken".*root/);
  assert.ok(lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1));
});

test("standard error gets every line, also those of the last moment", () => {
  const source = `
    import { createNodeEnv } from ${JSON.stringify(new URL("./node-env.ts", import.meta.url).href)};
    const { log } = createNodeEnv();
    for (let at = 0; at < 500; at++) log.info("line", { at });
    setImmediate(() => { log.error("last"); process.exit(0); });`;
  const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source], { encoding: "utf8" });
  const events = stderr.trim().split("\n").map((line) => JSON.parse(line) as { event: string; at?: number });
  // A write in flight when the process ends may overtake the last one on a busy machine; nothing may be
  // missing.
  const numbers = events.flatMap(({ at }) => at ?? []).sort((one, other) => one - other);
  assert.deepEqual(numbers, Array.from({ length: 500 }, (_, at) => at));
  assert.equal(events.filter(({ event }) => event === "last").length, 1);
});
