/** A count that all connections of a surface share and that never exceeds its limit. */
import { assert } from "../../../kit/assert.ts";

export class SharedBudget {
  readonly max: number;
  #used = 0;

  constructor(max: number) {
    this.max = max;
  }

  get used(): number {
    return this.#used;
  }

  get left(): number {
    return this.max - this.#used;
  }

  tryTake(amount: number): boolean {
    if (amount > this.max - this.#used) return false;
    this.#used += amount;
    return true;
  }

  take(amount: number): void {
    assert(this.tryTake(amount), "a budget was asked for more than is left");
  }

  give(amount: number): void {
    this.#used -= amount;
    assert(this.#used >= 0, "a budget was given more than was taken");
  }
}
