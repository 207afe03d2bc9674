/**
 * A product is published, and every change of the file system on the way fails once, or is the last before the process
 * is gone: what is there afterwards is the old product untouched or the new one whole, nothing of the owner's is lost,
 * and the next build gets to the same end and leaves nothing beside it.
 *
 * The judges are tried on publishers with planted faults. A build that finishes a stopped one is
 * stopped at every 17th change, at every one with `LATHE_TEST_STRIDE=1`.
 */
import assert from "node:assert/strict";
import {
  chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync,
  symlinkSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { errorCodeOf } from "../kit/errors.ts";
import { type FileFault, underFault } from "./faulty-files.fixture.ts";
import { replaceProduct } from "./product-directory.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-publish-faults-"));
after(() => rmSync(scratch, { recursive: true }));
let places = 0;

type Files = Readonly<Record<string, string>>;
type Publish = (target: string, files: ReadonlyMap<string, string>) => void;

const first: Files = {
  "README.md": "one", "knobs.yaml": "a.b: 1", "kit/errors.ts": "same", "parts/core/wal.ts": "one", "parts/old/gone.ts": "old",
};
const second: Files = {
  "README.md": "two", "knobs.yaml": "a.b: 2", "kit/errors.ts": "same", "parts/core/wal.ts": "two", "docs/way.md": "new",
};
/** What the owner did to the first product: data and notes of its own, edits, and a file where the second has one. */
const owned: Files = {
  "notes.md": "mine", "data/CURRENT": "data", "data/wal/1.log": "log", ".git/HEAD": "ref", "parts/core/mine.ts": "mine",
  "parts/old/mine.ts": "mine", ".lathe/studies/one/journal": "study", ".lathe/replaced/README.md": "edited long ago",
};
const edited: Files = { "README.md": "edited", "knobs.yaml": "a.b: 7", "parts/old/gone.ts": "edited", "docs/way.md": "my way" };

const publish: Publish = (target, files) => {
  replaceProduct(target, "store", "0".repeat(64), files, { force: true, carried: ["knobs.yaml"] });
};

function write(root: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** Every file below, with what is in it; links and modes that are not the usual ones are told. */
function treeOf(root: string, below = ""): Record<string, string> {
  if (!existsSync(root)) return {};
  return Object.assign({}, ...readdirSync(join(root, below)).map((name) => {
    const path = below === "" ? name : `${below}/${name}`;
    const stats = lstatSync(join(root, path));
    if (stats.isDirectory()) return treeOf(root, path);
    const text = stats.isSymbolicLink() ? `-> ${readlinkSync(join(root, path))}` : readFileSync(join(root, path), "utf8");
    return { [path]: (stats.mode & 0o111) === 0 || stats.isSymbolicLink() ? text : `executable ${text}` };
  })) as Record<string, string>;
}

interface Scene {
  readonly name: string;
  readonly prepare: (place: string) => void;
  /** Where the product is to stand, below the place. */
  readonly target: string;
  readonly publish: Publish;
}

const rebuilt: Scene = {
  name: "over an edited product", target: "store", publish,
  prepare(place) {
    const target = join(place, "store");
    publish(target, new Map(Object.entries(first)));
    write(target, { ...owned, ...edited });
    symlinkSync("README.md", join(target, "link"));
    chmodSync(join(target, "parts/core/wal.ts"), 0o755);
  },
};
const scenes: readonly Scene[] = [
  rebuilt,
  { name: "new, below missing directories", target: "a/b/store", publish, prepare: () => undefined },
  { name: "in an empty directory", target: "store", publish, prepare: (place) => mkdirSync(join(place, "store")) },
];

/** What is true of the place after a stop or a failure; an error says what is not. */
function judge(scene: Scene, place: string, before: Record<string, string>, whole: Record<string, string>): void {
  const now = treeOf(join(place, scene.target));
  const aside = treeOf(join(place, dirname(scene.target), ".store.previous"));
  // Between the two renames.
  const isPutAside = Object.keys(now).length === 0;
  if (same(now, before) || (isPutAside && same(aside, before))) return;
  const generated = Object.keys(second);
  assert.deepEqual(pick(now, generated), pick(whole, generated), "the new product is whole");
  const lost = Object.entries(whole).filter(([path, text]) => now[path] !== text && !Object.values(aside).includes(text));
  assert.deepEqual(lost, [], "what is the owner's is in one of the two");
}

const same = (one: object, other: object) => {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch {
    return false;
  }
};
const pick = (tree: Record<string, string>, paths: readonly string[]) => paths.map((path) => [path, tree[path]]);

const deadPid = String(2 ** 22 + 1);

/** As if the process that took the lock, or was about to, were dead. */
function bury(place: string): void {
  for (const path of Object.keys(treeOf(place)).filter((one) => /\.lock(\.|$)/.test(one))) {
    const text = readFileSync(join(place, path), "utf8");
    rmSync(join(place, path));
    const dead = path.replace(new RegExp(`(?<=\\.lock(\\.takeover)*\\.)${process.pid}\\.`), `${deadPid}.`);
    writeFileSync(join(place, dead), text.replace(/"pid":\d+/, `"pid":${deadPid}`));
  }
}

function inPlace<Result>(scene: Scene, use: (place: string) => Result): Result {
  const place = join(scratch, String(places++));
  mkdirSync(place);
  try {
    undisturbedly(() => scene.prepare(place));
    return use(place);
  } finally {
    rmSync(place, { recursive: true });
  }
}

const run = (scene: Scene, place: string) => () =>
  scene.publish(join(place, scene.target), new Map(Object.entries(second)));

/** Without a fault, and without flushes. */
function undisturbedly(work: () => unknown): void {
  const { error } = underFault({ at: Infinity, mode: "stop" }, work);
  if (error !== undefined) throw error;
}

/** The product as it is without any fault. */
const undisturbed = (scene: Scene) => inPlace(scene, (place) => {
  run(scene, place)();
  return treeOf(place);
});

/** One fault, and then a build without one. Returns whether the fault was met. */
function tryFaults(scene: Scene, faults: readonly FileFault[], wanted: Record<string, string>): boolean {
  return inPlace(scene, (place) => {
    const told = `${scene.name}, ${faults.map(({ at, mode }) => `${mode} at ${at}`).join(", then ")}`;
    const target = join(place, scene.target);
    const before = treeOf(target);
    const whole = Object.fromEntries(
      Object.entries(wanted).map(([path, text]) => [path.slice(scene.target.length + 1), text]),
    );
    const outcomes = faults.map((fault) => {
      const outcome = underFault(fault, run(scene, place));
      bury(place);
      try {
        judge(scene, place, before, whole);
      } catch (error) {
        throw new Error(`${told}: ${(error as Error).message}`);
      }
      if (fault.mode === "once" && outcome.error !== undefined) {
        assert.equal(errorCodeOf(outcome.error), "DISK_FULL", `${told}: ${outcome.error}`);
        assert.deepEqual(treeOf(place), prefixed(scene.target, before), `${told}: as before`);
        if (Object.keys(before).length === 0) assert.ok(!existsSync(join(place, "a")), `${told}: no directory is left`);
      }
      return outcome;
    });
    undisturbedly(run(scene, place));
    assert.deepEqual(treeOf(place), wanted, `${told}, and the next build`);
    return outcomes.every(({ met }) => met);
  });
}

const prefixed = (folder: string, tree: Record<string, string>) =>
  Object.fromEntries(Object.entries(tree).map(([path, text]) => [`${folder}/${path}`, text]));

/** Every place of a fault. Returns how many there are. */
function sweep(scene: Scene, mode: FileFault["mode"]): number {
  const wanted = undisturbed(scene);
  for (let at = 1; ; at++) {
    if (!tryFaults(scene, [{ at, mode }], wanted)) return at - 1;
  }
}

for (const scene of scenes) {
  for (const mode of ["stop", "once", "forGood"] as const) {
    test(`${scene.name}: ${mode}, at every change`, () => {
      assert.ok(sweep(scene, mode) > 20);
    });
  }
}

test("a build that finishes a stopped one, stopped in turn", () => {
  const wanted = undisturbed(rebuilt);
  const step = Number(process.env.LATHE_TEST_STRIDE ?? 17);
  for (let at = 1; tryFaults(rebuilt, [{ at, mode: "stop" }], wanted); at += step) {
    for (let next = 1; tryFaults(rebuilt, [{ at, mode: "stop" }, { at: next, mode: "stop" }], wanted); next += step);
  }
});

test("the judges find publishers that write in place, remove first, or lose what is the owner's", () => {
  const overwrite: Publish = (target, files) => {
    mkdirSync(target, { recursive: true });
    for (const [path, text] of files) {
      mkdirSync(dirname(join(target, path)), { recursive: true });
      writeFileSync(join(target, path), text);
    }
  };
  const removeFirst: Publish = (target, files) => {
    const next = `${target}.next`;
    rmSync(next, { recursive: true, force: true });
    overwrite(next, files);
    rmSync(target, { recursive: true, force: true });
    renameSync(next, target);
  };
  const moveLast: Publish = (target, files) => {
    publish(target, files);
    const moved = readFileSync(join(target, "notes.md"));
    rmSync(join(target, "notes.md"));
    writeFileSync(join(target, "notes.md"), moved);
  };
  for (const planted of [overwrite, removeFirst, moveLast]) {
    assert.throws(() => sweep({ ...rebuilt, publish: planted }, "stop"), /stop at \d+/, planted.name);
  }
});
