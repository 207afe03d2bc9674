/**
 * Loads a program of many modules quickly: compiled code is kept beside it, and its own imports are found without
 * search.
 *
 * A product is some 250 modules of TypeScript; to strip and compile them takes twice as long as all else in a start.
 *   1. `main.ts` calls `quickenLoading` before it imports anything else (whatever a module imports statically
 *      is compiled before the module runs), with the program's own directory.
 *   2. Node keeps compiled code there, by path and content, and takes it where both are the same. Whoever may
 *      write there may change the code itself, which is not so of the system's directory for temporary files.
 *      Threads take the directory from the environment.
 *   3. Until the program runs, an import of the form `./….ts` means that file: no other name is tried, no link
 *      followed, no `package.json` looked for. Links within a program are therefore not supported.
 *   4. `endLoading`, once it runs: what is new is written (Node would do so at the end, which a killed process
 *      has not), and from now on modules are found as usual.
 * Several processes may share the directory: Node writes each entry under a name of its own and renames it, and
 * compares lengths and checksums when it reads one. Where nothing can be written there, or
 * NODE_DISABLE_COMPILE_CACHE is set, a start compiles; NODE_COMPILE_CACHE=DIR puts the code elsewhere.
 */
import { enableCompileCache, flushCompileCache, registerHooks } from "node:module";
import { join } from "node:path";

export const compiledCodeName = ".cache";

let hooks: { deregister(): void } | undefined;

export function quickenLoading(programDirectory: string): void {
  // Portable: entries are found by their path within the program, so that it may be moved.
  const at = { directory: join(programDirectory, compiledCodeName), portable: true };
  if (process.env.NODE_COMPILE_CACHE === undefined && enableCompileCache(at).directory !== undefined) {
    process.env.NODE_COMPILE_CACHE = at.directory;
    process.env.NODE_COMPILE_CACHE_PORTABLE = "1";
  }
  hooks ??= registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context;
      if (parentURL === undefined || !/^\..*\.ts$/.test(specifier)) return next(specifier, context);
      return { url: new URL(specifier, parentURL).href, format: "module-typescript", shortCircuit: true };
    },
  });
}

export function endLoading(): void {
  hooks?.deregister();
  hooks = undefined;
  flushCompileCache();
}
