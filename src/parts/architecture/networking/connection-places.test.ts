import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionPlaces, type PlacedConnection } from "./connection-places.ts";

class Guest implements PlacedConnection {
  readonly name: string;
  refused = false;
  readonly told: string[];

  constructor(name: string, told: string[]) {
    this.name = name;
    this.told = told;
  }

  hold = () => void this.told.push(`${this.name} waits`);
  drain = () => void this.told.push(`${this.name} drains`);
  destroy = () => void this.told.push(`${this.name} is destroyed`);
  checkTime = () => void this.told.push(`${this.name} is checked`);
  checkWaitingTime = () => void this.told.push(`${this.name} is checked waiting`);
}

/** Timers that fire when the test says so. */
function openPlaces(placesMax: number) {
  const timers: { ms: number; run: () => void; live: boolean }[] = [];
  const clock = {
    monotonicUs: () => 0,
    setTimer(ms: number, run: () => void) {
      const timer = { ms, run, live: true };
      timers.push(timer);
      return { cancel: () => (timer.live = false) };
    },
  };
  const told: string[] = [];
  const onServed = ({ name }: Guest) => void told.push(`${name} is served`);
  const places = new ConnectionPlaces<Guest>(clock as never, { placesMax, shortestLimitMs: 400, onServed });
  const live = () => timers.filter((timer) => timer.live);
  const fire = (timer = live()[0]) => {
    timer.live = false;
    timer.run();
  };
  const said = () => told.splice(0);
  return { places, guest: (name: string) => new Guest(name, told), said, live, fire };
}

test("who comes first is served first, and who is being sent away does not move up", () => {
  const { places, guest, said } = openPlaces(2);
  const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(guest);
  for (const one of [a, b, c, d, e]) places.add(one);
  assert.deepEqual(said(), ["a is served", "b is served", "c waits", "d waits", "e waits"]);
  c.refused = true;
  assert.equal(places.remove(a), true);
  assert.deepEqual([said(), places.served, places.waiting], [["d is served"], 2, 2]);
  assert.equal(places.remove(c), false);
  places.close();
  places.remove(b);
  assert.deepEqual([said(), places.served, places.waiting], [[], 1, 1]);
});

test("a sweep looks after all of them as long as there is anybody", () => {
  const { places, guest, said, live, fire } = openPlaces(1);
  const [a, b] = [guest("a"), guest("b")];
  places.add(a);
  places.add(b);
  assert.deepEqual(live().map(({ ms }) => ms), [100]);
  said();
  fire();
  assert.deepEqual(said(), ["a is checked", "b is checked waiting"]);
  assert.equal(live().length, 1);
  places.remove(b);
  places.remove(a);
  assert.equal(live().length, 0);
});

test("a drain ends when the last one has ended, or its time is up", async () => {
  const { places, guest, said, fire, live } = openPlaces(1);
  const [a, b] = [guest("a"), guest("b")];
  places.add(a);
  places.add(b);
  said();
  places.close();
  const drained = places.drain(5000);
  assert.deepEqual(said(), ["b is destroyed", "a drains"]);
  places.remove(b);
  places.remove(a);
  await drained;
  const other = openPlaces(1);
  other.places.add(other.guest("c"));
  const late = other.places.drain(5000);
  other.fire(other.live().find(({ ms }) => ms === 5000));
  await late;
  other.places.destroyAll();
  assert.ok(other.said().includes("c is destroyed"));
  assert.equal(live().length, 1, "the drain's own timer");
  fire();
});
