/**
 * Globals that would break determinism throw while a simulation runs: real time, real timers, real randomness.
 *
 * Replaced are the functions, for the time between `breakGlobals` and the call of what it returns; nested simulations
 * count. The simulator itself holds the originals that it needs from before.
 */
import { LatheError } from "../kit/errors.ts";

let depth = 0;
let restore: (() => void) | undefined;

/** Breaks them; call the result to mend them. */
export function breakGlobals(): () => void {
  if (depth++ === 0) restore = replaceAll();
  let done = false;
  return () => {
    if (done) return;
    done = true;
    if (--depth > 0) return;
    restore?.();
    restore = undefined;
  };
}

function replaceAll(): () => void {
  const undo = [
    replace(Date, "now", "Date.now"),
    replace(Math, "random", "Math.random"),
    replace(performance, "now", "performance.now"),
    replace(crypto, "getRandomValues", "crypto.getRandomValues"),
    replace(crypto, "randomUUID", "crypto.randomUUID"),
    replace(process, "hrtime", "process.hrtime"),
    ...(["setTimeout", "setInterval", "setImmediate"] as const).map((name) => replace(globalThis, name, name)),
    replaceDate(),
  ];
  return () => undo.forEach((one) => one());
}

function replace(holder: object, name: string, shown: string): () => void {
  const own = Object.getOwnPropertyDescriptor(holder, name);
  const refuse = () => {
    throw new LatheError("INVALID_ARGUMENT", `${shown} was called inside a simulation; go through Env`);
  };
  Object.defineProperty(holder, name, { value: refuse, configurable: true, writable: true });
  return () => {
    if (own === undefined) Reflect.deleteProperty(holder, name);
    else Object.defineProperty(holder, name, own);
  };
}

/** `new Date()` reads the clock; `new Date(number)` does not. */
function replaceDate(): () => void {
  const RealDate = globalThis.Date;
  globalThis.Date = new Proxy(RealDate, {
    construct(target, args: unknown[]) {
      if (args.length > 0) return Reflect.construct(target, args) as object;
      throw new LatheError("INVALID_ARGUMENT", "new Date() was called inside a simulation; go through Env");
    },
  });
  return () => {
    globalThis.Date = RealDate;
  };
}
