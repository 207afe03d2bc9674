import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { ProductDefinition } from "./serve-main.ts";

/**
 * A product that does nothing but what `mode` says; written as a module, because serveMain ends its
 * process.
 */
function fakeMain(directory: string, mode: "serve" | "hang-in-drain" | "fail-later" | ErrorName): string {
  const kit = (name: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href);
  const definition: { [Key in keyof ProductDefinition]?: string } = {
    name: '"fake"', description: '"a fake"', version: '"1"', selectionHash: '"0"', directory: JSON.stringify(directory),
    knobTable: `[
      { name: "a.b", type: "integer", default: 1, min: 0, max: 9, constraints: [] },
      { name: "a.live", type: "integer", default: 1, min: 0, max: 9, live: true, constraints: [] },
    ]`,
    open: `async (env, knobs, { dataDirectory }) => {
      if (!["serve", "hang-in-drain", "fail-later"].includes(${JSON.stringify(mode)})) {
        throw new LatheError(${JSON.stringify(mode)}, "it is so");
      }
      env.disk.makeDirectory(dataDirectory);
      return {
        name: "fake",
        serve: async () => {
          if (${mode === "fail-later"}) setTimeout(() => { throw new Error("later"); }, 20);
          globalThis.held = setInterval(() => {}, 1000);
          return { mysqlPort: knobs["a.b"], metricsPort: undefined };
        },
        reconfigure: (values) => console.error("reconfigured " + JSON.stringify(values)),
        query: async () => [], metrics: () => [], rewrite: async () => {}, settle: async () => {},
        drain: (timeoutMs) => ${mode === "hang-in-drain"} ? new Promise(() => {}) : Promise.resolve(),
        close: async () => console.error("closed"),
      };
    }`,
    createEnv: "createNodeEnv",
  };
  const file = join(directory, "main.ts");
  writeFileSync(join(directory, "knobs.yaml"), "a.b: 3\n");
  writeFileSync(file, [
    `import { createNodeEnv } from ${kit("env/node-env.ts")};`,
    `import { LatheError } from ${kit("errors.ts")};`,
    `import { serveMain } from ${kit("serve-main.ts")};`,
    `await serveMain({ ${Object.entries(definition).map(([key, value]) => `${key}: ${value}`).join(", ")} });`,
  ].join("\n"));
  return file;
}

type ErrorName = "LOCKED" | "READ_ONLY" | "DISK_FULL" | "CORRUPTION" | "FORMAT_UNKNOWN" | "IO_ERROR" | "PERMISSION";

interface Run {
  readonly child: ChildProcess;
  readonly listening: Promise<string>;
  readonly ended: Promise<{ exitCode: number | null; stdout: string; stderr: string }>;
}

function run(file: string, ...more: string[]): Run {
  const child = spawn(process.execPath, [file, "--data", join(file, "..", "data"), ...more], {
    env: { ...process.env, LATHE_PASSWORD: "p" },
  });
  let stdout = "";
  let stderr = "";
  const listening = new Promise<string>((resolve) => {
    child.stdout.on("data", (bytes: Buffer) => {
      stdout += bytes.toString();
      if (stdout.includes("\n")) resolve(stdout);
    });
  });
  child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  const ended = new Promise<{ exitCode: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  return { child, listening, ended };
}

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "lathe-serve-main-"));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("one line on stdout; SIGTERM drains, closes and exits with 0", async () => {
  await inDirectory(async (directory) => {
    const { child, listening, ended } = run(fakeMain(directory, "serve"));
    assert.deepEqual(JSON.parse(await listening), { event: "listening", host: "127.0.0.1", mysqlPort: 3, metricsPort: null });
    child.kill("SIGTERM");
    const end = await ended;
    assert.equal(end.exitCode, 0);
    assert.match(end.stderr, /"event":"draining"/);
    assert.match(end.stderr, /^closed$/m);
    assert.match(end.stderr, /"event":"stopped"/);
    assert.equal(end.stdout.trim().split("\n").length, 1);
  });
});

test("SIGHUP changes live knobs, names those that need a restart, and keeps what it has where a file is wrong", async () => {
  await inDirectory(async (directory) => {
    const { child, listening, ended } = run(fakeMain(directory, "serve"));
    let seen = "";
    child.stderr?.on("data", (bytes: Buffer) => (seen += bytes.toString()));
    const logged = async (text: string) => {
      while (!seen.includes(text)) await new Promise((resolve) => child.stderr?.once("data", resolve));
    };
    await listening;
    writeFileSync(join(directory, "knobs.yaml"), "a.b: 4\na.live: 5\n");
    child.kill("SIGHUP");
    await logged("knobs need a restart");
    assert.match(seen, /reconfigured {"a.live":5}/);
    assert.match(seen, /"knobs":\["a\.b"\]/);
    writeFileSync(join(directory, "knobs.yaml"), "a.live: 77\n");
    child.kill("SIGHUP");
    await logged("knobs not reloaded");
    assert.match(seen, /a\.live: expected at most 9, found 77/);
    writeFileSync(join(directory, "knobs.yaml"), "a.live: 6\na.b: 3\n");
    child.kill("SIGHUP");
    await logged('reconfigured {"a.live":6}');
    child.kill("SIGTERM");
    assert.equal((await ended).exitCode, 0);
    assert.doesNotMatch(seen, /reconfigured {"a.live":77}/);
  });
});

test("a second signal ends a drain that hangs", async () => {
  await inDirectory(async (directory) => {
    const { child, listening, ended } = run(fakeMain(directory, "hang-in-drain"));
    await listening;
    const draining = new Promise((resolve) => child.stderr?.on("data", (bytes: Buffer) => {
      if (bytes.includes("draining")) resolve(undefined);
    }));
    child.kill("SIGINT");
    await draining;
    child.kill("SIGTERM");
    assert.equal((await ended).exitCode, 130);
  });
});

test("each failure to open has its exit code and one line that says what to do", async () => {
  const expected = { LOCKED: 3, READ_ONLY: 5, PERMISSION: 5, DISK_FULL: 6, CORRUPTION: 7, IO_ERROR: 8 } as const;
  await Promise.all(Object.entries(expected).map(([code, exitCode]) => inDirectory(async (directory) => {
    const end = await run(fakeMain(directory, code as ErrorName)).ended;
    assert.equal(end.exitCode, exitCode, end.stderr);
    assert.match(end.stderr, /^fake: it is so; [a-z].+\n$/);
    assert.equal(end.stdout, "");
  })));
});

test("what nobody caught ends the process with 1 and is in the log", async () => {
  await inDirectory(async (directory) => {
    const end = await run(fakeMain(directory, "fail-later")).ended;
    assert.equal(end.exitCode, 1);
    assert.match(end.stderr, /"event":"uncaught","message":"later"/);
  });
});
