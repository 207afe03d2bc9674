/**
 * Writes `.oxlintrc.json` from the layer law in `layers.ts`, so that linter and tidy test share one
 * source of truth. Run: `node scripts/generate-lint-config.ts` (the tidy test fails when the file is
 * stale).
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { forbiddenRooms, rooms } from "./layers.ts";

interface Override {
  files: string[];
  rules: Record<string, unknown>;
}

const worldModules = [
  "fs", "fs/promises", "net", "http", "https", "tls", "dgram", "child_process", "cluster", "worker_threads", "timers",
  "timers/promises", "os", "process", "perf_hooks", "readline",
];

export function lintConfig(): object {
  const overrides: Override[] = rooms.map((room) => ({
    files: [`src/${room}/**/*.ts`],
    rules: { "no-restricted-imports": ["error", { patterns: patternsFor(room) }] },
  }));
  overrides.push({
    files: ["src/parts/**/*.ts"],
    rules: {
      "no-restricted-globals": [
        "error", "Date", "setTimeout", "setInterval", "setImmediate", "queueMicrotask", "performance", "process",
        "console", "crypto", "fetch", "Worker",
      ],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "parts take randomness from env.random" },
        { object: "Atomics", property: "wait", message: "parts never block the thread on another one" },
      ],
    },
  });
  overrides.push({
    files: ["**/*.test.ts", "**/*.bench.ts", "**/*.fuzz.ts", "**/*.conformance.ts"],
    rules: { "no-restricted-imports": "off", "no-restricted-globals": "off", "no-restricted-properties": "off" },
  });
  return {
    $schema: "./node_modules/oxlint/configuration_schema.json",
    plugins: ["typescript", "unicorn", "oxc", "import"],
    categories: { correctness: "error" },
    rules: {
      "import/no-cycle": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
      "no-debugger": "error",
      "typescript/consistent-type-imports": "error",
      "typescript/no-explicit-any": "error",
      "typescript/ban-ts-comment": "error",
      "unicorn/prefer-node-protocol": "error",
    },
    ignorePatterns: ["dist/**", "**/node_modules/**"],
    overrides,
  };
}

function patternsFor(room: string): object[] {
  const patterns: object[] = forbiddenRooms(room).map((other) => ({
    regex: `^(\\.\\./)+${other}/`,
    message: `layer law: ${room} may not import ${other}`,
  }));
  if (room === "parts") {
    patterns.push({
      regex: `^(node:)?(${worldModules.join("|").replaceAll("/", "\\/")})$`,
      message: "parts reach the world through Env only",
    });
  }
  return patterns;
}

if (import.meta.main) {
  const path = join(import.meta.dirname, "..", ".oxlintrc.json");
  writeFileSync(path, `${JSON.stringify(lintConfig(), null, 2)}\n`);
}
