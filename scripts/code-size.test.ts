import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CodeCounter } from "./code-size.ts";

const root = mkdtempSync(join(tmpdir(), "lathe-code-size-"));
writeFileSync(join(root, "tsconfig.json"), '{"compilerOptions":{"target":"es2024","noLib":true},"include":["*.ts"]}');
writeFileSync(
  join(root, "planted.ts"),
  `import { far } from "far";
/* A comment
   of two lines. */
const limit = 3; // behind code

export interface Shape {
  readonly size: number;
}

class Planted {
  readonly fixed = 1;
  readonly #set = new Set<number>();
  open = 0;
  #state = "// no comment";

  async work(input: number[]): Promise<number> {
    if (input.length > limit && this.open > 0) return 1;
    for (const one of input) this.#set.add(one ?? 0);
    try {
      await far();
    } catch {
      return input.length === 0 ? 1 : 2;
    }
    switch (this.#state) {
      case "a":
        return 3;
      default:
        far().then(() => (this.open ||= 1));
        return 4;
    }
  }

  get idle(): boolean {
    return this.open === 0;
  }
}
`,
);
const counter = new CodeCounter(root);
after(() => {
  counter.close();
  rmSync(root, { recursive: true });
});

test("sizes of a planted file, counted by hand", () => {
  assert.deepEqual(counter.sizeOf({ file: "planted.ts" }), {
    // limit 1, Shape 3, head and fields 5, work 16, idle 3, end 1
    lines: 29,
    // limit; if, return; for, add; try, far, return; switch, return, then, its arrow's body, return; idle's return
    statements: 14,
    functions: 3,
    // if, &&, for, ??, catch, ?:, case; ||=
    branches: 8,
    complexity: 11,
    complexityMax: 8,
    mutable: 3,
    open: 1,
    callbacks: 1,
    awaits: 1,
    chains: 1,
  });
});

test("only and except choose declarations and members; names that are not there are an error", () => {
  assert.equal(counter.sizeOf({ file: "planted.ts", only: ["Planted.idle"] }).lines, 3);
  assert.equal(counter.sizeOf({ file: "planted.ts", except: ["Planted", "Shape"] }).lines, 1);
  assert.throws(() => counter.sizeOf({ file: "planted.ts", only: ["Planted.gone"] }), /has no Planted.gone/);
});
