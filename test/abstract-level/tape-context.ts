/**
 * TapeContext: what level's test suite asks of its test runner (`tape`), on Node's own runner.
 *
 * The suite takes the runner as an argument, and asks little of it: ten assertions, `plan`, `end`, nested tests. That
 * spares the tree of packages that tape would bring.
 *   1. A test that returns a promise is over when that resolves and its plan is met; any other at its `end`, or when
 *   its plan is met.
 *   2. Nested tests run one after the other, after the body; each counts as one assertion of the plan.
 *   3. The first failed assertion is the test's failure. A plan that is exceeded fails; one that is not met within
 *   ten seconds too.
 * Source: tape's documentation.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

const planTimeoutMs = 10_000;

type Body = (t: TapeContext) => unknown;

export class TapeContext {
  #planned: number | undefined = undefined;
  #count = 0;
  #ended = false;
  #failure: unknown = undefined;
  readonly #nested: { readonly name: string; readonly body: Body }[] = [];

  /** Runs a test; rejects with its first failure. Resolves with the number of its assertions. */
  static async run(body: Body): Promise<number> {
    const t = new TapeContext();
    const result = body(t);
    const isAsync = result instanceof Promise;
    if (isAsync) await result;
    for (const nested of t.#nested) {
      await TapeContext.run(nested.body).catch((error: Error) => t.#fail(`${nested.name}: ${error.message}`, error));
      t.#count++;
    }
    const isOver = () => t.#ended || (t.#planned === undefined ? isAsync : t.#count >= t.#planned);
    for (let waitedMs = 0; !isOver() && waitedMs < planTimeoutMs; waitedMs += 5) await sleep(5);
    if (t.#failure !== undefined) throw t.#failure;
    assert.ok(isOver(), `the test did not end: ${t.#count} of ${t.#planned ?? "any"} assertions`);
    if (t.#planned !== undefined) assert.equal(t.#count, t.#planned, "the number of assertions that was planned");
    return t.#count;
  }

  plan(count: number): void {
    this.#planned = count;
  }

  end(): void {
    this.#ended = true;
  }

  test(name: string, body: Body): void {
    this.#nested.push({ name, body });
  }

  is(actual: unknown, expected: unknown, message?: string): void {
    this.#check(message, () => assert.strictEqual(actual, expected));
  }

  isNot(actual: unknown, expected: unknown, message?: string): void {
    this.#check(message, () => assert.notStrictEqual(actual, expected));
  }

  same(actual: unknown, expected: unknown, message?: string): void {
    this.#check(message, () => assert.deepStrictEqual(actual, expected));
  }

  ok(value: unknown, message?: string): void {
    this.#check(message, () => assert.ok(value));
  }

  pass(message?: string): void {
    this.#check(message, () => {});
  }

  fail(message?: unknown): void {
    this.#check(undefined, () => {
      throw message instanceof Error ? message : new assert.AssertionError({ message: String(message ?? "fail") });
    });
  }

  throws(work: () => unknown, expected?: RegExp | ((error: unknown) => boolean), message?: string): void {
    this.#check(message, () => (expected === undefined ? assert.throws(work) : assert.throws(work, expected)));
  }

  doesNotThrow(work: () => unknown, message?: string): void {
    this.#check(message, () => assert.doesNotThrow(work));
  }

  #check(message: string | undefined, work: () => void): void {
    this.#count++;
    try {
      work();
    } catch (error) {
      this.#fail(message === undefined ? (error as Error).message : `${message}: ${(error as Error).message}`, error);
    }
  }

  #fail(message: string, cause: unknown): void {
    this.#failure ??= new assert.AssertionError({ message, ...(cause instanceof assert.AssertionError ? cause : {}) });
  }
}
