/**
 * Loads a product that no suite was run of, so that one which cannot even be imported is not written.
 *
 * All of its files are laid in a staging directory, and a process of its own imports what is run: `serve.ts` with all
 * that a server is made of, or the wiring of a library. Nothing is opened, so what fails later (a part whose methods
 * throw) is not found.
 */
import { LatheError } from "../../kit/errors.ts";
import { releaseProcess, spawnGuarded } from "../orphan-guard.ts";
import { inStaging, layFiles } from "./staging.ts";

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
}

const outputCharactersMax = 1 << 16;
const shownLinesMax = 30;
/** Not 0, with which a module could end the process itself. */
const loadedCode = 77;

/** Errors: CONSTRAINT with what Node said; the signal's reason; those of `inStaging`. */
export async function checkLoads(
  target: string, files: ReadonlyMap<string, string>, options: LoadOptions,
): Promise<void> {
  const entry = files.has("serve.ts") ? "serve.ts" : "product.ts";
  await inStaging(target, async ({ directory }) => {
    layFiles(directory, [...files.keys()], files);
    const said = await loadFailure(directory, entry, options);
    if (said === undefined) return;
    // Paths as they are in the product: the staging directory is gone when this is read.
    const text = said.replaceAll("file://", "").replaceAll(`${directory}/`, "").trim();
    const output = text.split("\n").slice(0, shownLinesMax);
    const shown = output.map((line) => `    ${line}`).join("\n");
    const message = `the product does not load, and nothing was written (import of ${entry}):\n${shown}`;
    throw new LatheError("CONSTRAINT", message, { details: { entry, output: output.join("\n") } });
  });
}

/** Undefined where it loads. */
function loadFailure(
  directory: string, entry: string, { signal, timeoutMs }: LoadOptions,
): Promise<string | undefined> {
  // It ends at once, whatever a module left running.
  const program = `await import("./${entry}"); process.exit(${loadedCode});`;
  const flags = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", program];
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawnGuarded(process.execPath, flags, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
    let output = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (output.length < outputCharactersMax) output += text;
    });
    let overdue = false;
    const stop = () => child.kill("SIGKILL");
    const timer = setTimeout(() => {
      overdue = true;
      stop();
    }, timeoutMs);
    signal?.addEventListener("abort", stop, { once: true });
    const settle = () => {
      clearTimeout(timer);
      if (child.pid !== undefined) releaseProcess(child.pid);
      signal?.removeEventListener("abort", stop);
    };
    child.once("error", (error) => {
      settle();
      reject(error);
    });
    child.once("close", (code, killedBy) => {
      settle();
      if (signal?.aborted === true) return reject(signal.reason);
      if (code === loadedCode) return resolve(undefined);
      const ended = `it ended with ${killedBy ?? `code ${code}`}`;
      const said = overdue ? `it did not end within ${timeoutMs / 1000} s` : ended;
      resolve(output === "" ? said : output);
    });
  });
}
