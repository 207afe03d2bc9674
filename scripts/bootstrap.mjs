// Brings the machine to the state in which Lathe's TypeScript can run, then runs it.
//
// Purpose: `npm start`, `npm test` and `./lathe` work on a clean clone with Node 20 or newer and npm.
// Steps:
//   1. dependencies: where one cannot be resolved in a checkout, run `npm install` along the lock file.
//   2. Node: where this one is older than 24.15, take the newest 24 from npm's `node-<os>-<cpu>` package, kept in
//      `.lathe/node` of the checkout or, where that cannot be written, in the user's cache directory.
//   3. run `src/cli/main.ts` (in a package under node_modules: `dist/cli/main.js`, because Node does not strip types
//      there) with the arguments, and pass signals and the exit code on.
// Invariants: no install script of any package is needed; this file uses nothing newer than Node 20.

import { spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packaged = root.includes(`${sep}node_modules${sep}`);
const nodeFloor = [24, 15];

function fail(message) {
  process.stderr.write(`lathe: ${message}\n`);
  process.exit(1);
}

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  return major > nodeFloor[0] || (major === nodeFloor[0] && minor >= nodeFloor[1]);
}

function npm(args, cwd) {
  const windows = process.platform === "win32";
  const result = spawnSync(windows ? "npm.cmd" : "npm", args, {
    cwd,
    shell: windows,
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  if (result.status !== 0) {
    const lines = (result.stderr ?? "").split("\n").filter((line) => line.startsWith("npm error"));
    const reason = result.error?.message ?? lines.slice(0, 4).join("\n");
    fail(`\`npm ${args.join(" ")}\` failed in ${cwd}:\n${reason}`);
  }
}

function ensureDependencies() {
  const require = createRequire(join(root, "package.json"));
  const wanted = packaged ? ["commander", "zod", "yaml"] : ["commander", "zod", "yaml", "fast-check"];
  const missing = wanted.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch (error) {
      return error.code === "MODULE_NOT_FOUND";
    }
  });
  if (missing.length === 0) return;
  if (packaged) fail(`dependency ${missing[0]} is missing: run \`npm install\` in the project that uses Lathe`);
  process.stderr.write("lathe: installing dependencies (npm, once)\n");
  // Not `npm ci`: it refuses a lock file that lacks optional packages of platforms that a registry does not carry.
  // `--no-save` follows the lock file and leaves it as it is.
  npm(["install", "--no-save", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"], root);
}

function isWritable(directory) {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function nodeHome() {
  const own = join(root, ".lathe", "node");
  if (!packaged && isWritable(own)) return own;
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  const shared = join(cache, "lathe", "node");
  if (!isWritable(shared)) fail(`cannot write ${shared}: set XDG_CACHE_HOME, or install Node ${nodeFloor.join(".")}`);
  return shared;
}

function suitableNode() {
  if (isNewEnough(process.version)) return process.execPath;
  if (process.env.LATHE_NODE) return process.env.LATHE_NODE;
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const home = nodeHome();
  const binary = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  const path = join(home, "node_modules", name, binary);
  if (!existsSync(path)) {
    process.stderr.write(`lathe: Node ${process.version} is too old; taking ${name}@24 from npm (once)\n`);
    npm(["install", "--prefix", home, "--no-save", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", `${name}@24`], home);
  }
  if (!existsSync(path)) fail(`${name}@24 did not bring ${path}; install Node ${nodeFloor.join(".")} or newer`);
  return path;
}

function testFiles(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : testFiles(path);
    return entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

function commandLine(args) {
  if (args[0] !== "--npm-test") {
    const main = packaged ? join(root, "dist", "cli", "main.js") : join(root, "src", "cli", "main.ts");
    return ["--disable-warning=ExperimentalWarning", main, ...args];
  }
  const chosen = args.slice(1);
  const roots = chosen.length > 0 ? chosen : ["src", "test", "scripts"];
  const files = roots.flatMap((name) => {
    const path = join(root, name);
    return statSync(path).isDirectory() ? testFiles(path) : [path];
  });
  if (files.length === 0) fail("no test files found");
  const seed = ["--import", pathToFileURL(join(root, "scripts", "test-seed.ts")).href];
  // One more than there are cores: tests of whole processes wait for much of their time.
  const concurrency = `--test-concurrency=${Math.max(2, Math.min(8, availableParallelism() + 1))}`;
  return ["--disable-warning=ExperimentalWarning", ...seed, "--test", concurrency, ...files.sort()];
}

/** Tests draw from one seed, which is the same every time unless another is asked for. */
function testSeed(wanted = "1") {
  if (wanted !== "random") return wanted;
  const seed = String(randomInt(2 ** 31));
  process.stderr.write(`lathe: LATHE_TEST_SEED=${seed}\n`);
  return seed;
}

ensureDependencies();
const node = suitableNode();
// For scripts that want to run the TypeScript themselves.
if (process.argv[2] === "--node-path") {
  process.stdout.write(`${node}\n`);
  process.exit(0);
}
const isTest = process.argv[2] === "--npm-test";
const child = spawn(node, commandLine(process.argv.slice(2)), {
  stdio: "inherit",
  cwd: isTest ? root : process.cwd(),
  env: { ...process.env, LATHE_ROOT: root, ...(isTest && { LATHE_TEST_SEED: testSeed(process.env.LATHE_TEST_SEED) }) },
});
// The terminal sends Ctrl-C to the whole group; what comes from elsewhere is passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT") child.kill(signal);
  });
}
child.on("error", (error) => fail(`cannot start ${node}: ${error.message}`));
child.on("exit", (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else process.exit(code ?? 1);
});
