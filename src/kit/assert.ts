/**
 * Asserts state what must hold if our own code is right; they stay on in production (TigerBeetle's
 * rule).
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

export function unreachable(value: never): never {
  throw new AssertionFailure(`unreachable value: ${String(value)}`);
}

export class AssertionFailure extends Error {
  readonly code = "ASSERTION";

  constructor(message: string) {
    super(`assertion failed: ${message}`);
    this.name = "AssertionFailure";
  }
}
