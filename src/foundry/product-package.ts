/** `package.json` and `tsconfig.json` of a product: an ordinary project without dependencies. */
import type { Contract } from "../contract/contract.ts";

export function packageFile(contract: Contract): string {
  const file = {
    name: contract.name,
    version: "0.1.0",
    description: contract.description || `A database for the workload ${contract.name}.`,
    private: true,
    type: "module",
    engines: { node: ">=24.15" },
    bin: { [contract.name]: "main.ts" },
    exports: { ".": "./product.ts" },
    scripts: { start: "node main.ts", test: "node --test \"test/**/*.test.ts\"" },
  };
  return `${JSON.stringify(file, null, 2)}\n`;
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
