/**
 * `lathe build` is ended by signals while it works: a first build, and one over a product with notes of its owner. What
 * is there afterwards is the product as it was or the new one whole; nothing that it started runs on; a build that
 * waited for it goes on, and the next one leaves nothing beside the product.
 *
 * By default two builds are ended when their first suite runs. `LATHE_KILLS=N` ends N at a time drawn from
 * `LATHE_TEST_SEED`.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../src/kit/until.fixture.ts";
import { withTemporaryDirectory } from "./product-harness.ts";

const root = join(import.meta.dirname, "..", "..");
const example = readFileSync(join(root, "examples", "embedded", "contract.yaml"), "utf8");
const kills = Number(process.env.LATHE_KILLS ?? 0);
const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
const linux = process.platform === "linux";

type Signal = "SIGKILL" | "SIGTERM" | "SIGINT";

interface Place {
  readonly parent: string;
  readonly store: string;
  readonly temporary: string;
  readonly mark: string;
}

class Build {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  text = "";

  constructor({ parent, store, temporary, mark }: Place, version: number, flags: readonly string[] = []) {
    const contract = join(parent, "..", `version-${version}.yaml`);
    writeFileSync(contract, example.replace(/^name: .*$/m, `name: version-${version}`));
    const args = [join(root, "src", "cli", "main.ts"), "build", contract, "--out", store, ...flags];
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const cache = join(parent, "..", "cache");
    const env = { ...environment, TMPDIR: temporary, XDG_CACHE_HOME: cache, LATHE_TEST_MARK: mark };
    this.process = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on("data", (bytes: Buffer) => (this.text += bytes.toString()));
    }
    this.ended = new Promise((resolve) => this.process.on("close", resolve));
  }
}

/** Processes of this run, by what their environment says. */
function running({ mark }: Place): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(`LATHE_TEST_MARK=${mark}`);
    } catch {
      return false;
    }
  });
}

/** The version that stands there whole, with the owner's notes; 0 for nothing. */
function standing({ store }: Place, told: string): number {
  if (!existsSync(store)) return 0;
  const { product, files } = JSON.parse(readFileSync(join(store, ".lathe", "build.json"), "utf8")) as {
    product: string; files: Record<string, string>;
  };
  for (const [path, hash] of Object.entries(files)) {
    const found = createHash("sha256").update(readFileSync(join(store, path))).digest("hex");
    assert.equal(found, hash, `${told}: ${path}`);
  }
  return Number(product.split("-")[1]);
}

async function inPlace(use: (place: Place) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const [parent, temporary] = ["place", "tmp"].map((name) => join(directory, name));
    for (const one of [parent, temporary]) mkdirSync(one);
    await use({ parent, temporary, store: join(parent, "store"), mark: directory });
  });
}

const isWorking = ({ temporary }: Place) => readdirSync(temporary).some((name) => name.startsWith("lathe-suites-"));

/** Everything beside the product, by name. */
const besides = ({ parent, temporary }: Place) =>
  [...readdirSync(parent), ...readdirSync(temporary)].filter((name) => name !== "store");

interface Former {
  readonly version: number;
  /** What builds left that were killed; one that ends before it has the lock does not remove it. */
  readonly left: readonly string[];
}

async function checkEnd(
  place: Place, build: Build, signal: Signal, { version: before, left }: Former, told: string,
): Promise<number> {
  const code = await build.ended;
  const now = standing(place, told);
  assert.ok(now === before || now === before + 1, `${told}: version ${now}`);
  if (before > 0) assert.equal(readFileSync(join(place.store, "notes.md"), "utf8"), "mine", told);
  await until(`${told}: nothing runs on`, () => running(place).length === 0);
  if (signal === "SIGKILL") return now;
  // Before Node has come to our code, the signal is the end by itself.
  assert.equal(code ?? 130, now === before ? 130 : 0, `${told}: ${build.text}`);
  assert.deepEqual(besides(place).filter((name) => !left.includes(name)), [], told);
  return now;
}

test("a first build is killed, and one that waited for it goes on; a second is stopped", { skip: !linux }, async () => {
  await inPlace(async (place) => {
    const first = new Build(place, 1);
    await until("the first build runs suites", () => isWorking(place));
    // It comes to no end before the second has come to wait for it.
    first.process.kill("SIGSTOP");
    const second = new Build(place, 1, ["--no-verify"]);
    await until("the second waits", () => second.text.includes(`waiting for process ${first.process.pid}, which is`));
    assert.equal(existsSync(place.store), false);
    first.process.kill("SIGKILL");
    assert.equal(await second.ended, 0, second.text);
    assert.equal(standing(place, "taken over"), 1);
    assert.deepEqual(readdirSync(place.parent), ["store"]);

    writeFileSync(join(place.store, "notes.md"), "mine");
    const third = new Build(place, 2);
    await until("the third removes what the first left, and runs suites", () => {
      const names = readdirSync(place.temporary);
      return names.length === 1 && names[0].startsWith(`lathe-suites-${third.process.pid}-`);
    });
    third.process.kill("SIGTERM");
    assert.equal(await checkEnd(place, third, "SIGTERM", { version: 1, left: [] }, "stopped"), 1);
  });
});

test(`${kills} builds are ended at any time, seed ${seed}`, { skip: !linux || kills === 0 }, async () => {
  let state = seed;
  const draw = (limit: number) => (state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 >>> 0) % limit;
  await inPlace(async (place) => {
    let version = 0;
    for (let number = 0; number < kills; number++) {
      const signal = (["SIGKILL", "SIGTERM", "SIGINT"] as const)[draw(3)];
      const flags = draw(3) === 0 ? [] : ["--no-verify"];
      const waitMs = draw(flags.length === 0 ? 6000 : 3000);
      const told = `seed ${seed}, number ${number}: ${signal} after ${waitMs} ms ${flags.join(" ")}`;
      const former = { version, left: besides(place) };
      const build = new Build(place, version + 1, flags);
      await delay(waitMs);
      build.process.kill(signal);
      version = await checkEnd(place, build, signal, former, told);
      if (version > 0) writeFileSync(join(place.store, "notes.md"), "mine");
    }
    const last = new Build(place, version + 1, ["--no-verify"]);
    assert.equal(await last.ended, 0, last.text);
    assert.equal(standing(place, "the last"), version + 1);
    assert.deepEqual(readdirSync(place.parent), ["store"]);
  });
});
