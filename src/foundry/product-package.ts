/**
 * `package.json` and `tsconfig.json` of a product: an ordinary project without dependencies. Only the conformance
 * suites of its parts need a package, for development.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../contract/contract.ts";
import { sourceRoot } from "./part-descriptor.ts";
import { isLibrary, type SelectedParts } from "./composition.ts";
import { testPackages } from "./source-closure.ts";

export function packageFile(contract: Contract, selected: SelectedParts): string {
  const file = {
    name: contract.name,
    version: "0.1.0",
    description: contract.description || `A database for the workload ${contract.name}.`,
    private: true,
    type: "module",
    engines: { node: ">=24.15" },
    ...(isLibrary(selected)
      ? { exports: { ".": { types: "./dist/product.d.ts", default: "./dist/product.js" } }, files: ["dist"] }
      : { bin: { [contract.name]: "main.js" }, exports: { ".": "./product.ts", "./client": "./client.ts" } }),
    scripts: {
      ...(isLibrary(selected) ? { prepack: "node pack.ts" } : { start: "node main.js" }),
      test: "node --test \"test/*.test.ts\" \"test/contracts/*.test.ts\" \"test/parts/**/*.test.ts\"",
      "test:conformance": "npm install --no-audit --no-fund && node --test \"test/conformance/**/*.test.ts\"",
    },
    devDependencies: Object.fromEntries(testPackages.map((name) => [name, versionOf(name)])),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The version that the parts were tested with: Lathe's own. */
function versionOf(name: string): string {
  const text = readFileSync(join(sourceRoot, "..", "package.json"), "utf8");
  const file = JSON.parse(text) as { dependencies: Readonly<Record<string, string>> };
  return file.dependencies[name];
}

/** Types are stripped by Node; this serves editors and `tsc`. */
export function tsconfigFile(): string {
  const file = {
    compilerOptions: {
      target: "es2024",
      lib: ["es2024", "esnext.iterator", "esnext.disposable"],
      module: "nodenext",
      types: ["node"],
      strict: true,
      noEmit: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
    },
    include: ["*.ts", "kit", "parts", "test"],
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}
