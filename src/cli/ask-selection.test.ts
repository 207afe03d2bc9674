import assert from "node:assert/strict";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import { selectSession, selectSubject } from "../app/select.ts";
import { askSelection, flagsOf } from "./ask-selection.ts";

const contract = join(import.meta.dirname, "..", "..", "examples", "taobench-o", "contract.yaml");

const key = { enter: "\r", up: "\u001b[A", down: "\u001b[B", stop: "\u0003" };

/** A terminal whose user answers the question about each point, when it comes up, by keys; one without answers stops. */
function terminal(answers: readonly (readonly [string, string])[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  const left = [...answers];
  let text = "";
  let seen = 0;
  const output = Object.assign(
    new Writable({
      write(chunk: Buffer, _, done) {
        text += chunk.toString();
        const [question, keys] = left[0] ?? ["", ""];
        const at = text.indexOf(question, seen);
        if (at >= 0 && left.length > 0) {
          seen = text.length;
          left.shift();
          setImmediate(() => input.write(keys));
        } else if (answers.length === 0 && /◆/.test(chunk.toString())) setImmediate(() => input.write(key.stop));
        done();
      },
    }),
    { isTTY: true, columns: 200, rows: 200 },
  );
  return { input, output, text: () => text };
}

const sessionOf = async () => selectSession(await selectSubject({ what: [contract] }), { with: [], without: [] });

test("Enter keeps what was decided, and keeping the rest ends the walk", async () => {
  const session = await sessionOf();
  const [first, second] = session.points();
  const place = second.alternatives.findIndex(({ path }) => path === second.decided);
  const { input, output, text } = terminal([
    [`${first.path}: `, key.enter], [`${second.path}: `, key.up.repeat(place + 1) + key.enter],
  ]);
  await askSelection(session, { input, output });
  assert.match(text(), /decided: /);
  assert.match(text(), /Nothing was changed/);
  assert.equal(flagsOf(session), "");
});

test("another choice is in the flags that are shown", async () => {
  const session = await sessionOf();
  const points = [...session.points()];
  const at = points.findIndex(
    ({ alternatives, decided }) => alternatives.at(-1)?.path !== decided && alternatives.at(-1)?.possible
  );
  const picked = points[at].alternatives.at(-1)!.path!;
  // Up from the first is the last, which keeps the rest; up again is the last alternative.
  const place = points[at].alternatives.findIndex(({ path }) => path === points[at].decided);
  const probe = await sessionOf();
  probe.pick(points[at].path, picked);
  const asked = new Set(points.slice(0, at + 1).map(({ path }) => path));
  const next = [...probe.points()].find(({ path }) => !asked.has(path))!;
  const nextPlace = next.alternatives.findIndex(({ path }) => path === next.decided);
  const { input, output, text } = terminal([
    ...points.slice(0, at).map(({ path }) => [`${path}: `, key.enter] as const),
    [`${points[at].path}: `, key.up.repeat(place + 2) + key.enter],
    [`${next.path}: `, key.up.repeat(nextPlace + 1) + key.enter],
  ]);
  await askSelection(session, { input, output });
  assert.ok(text().includes(`The same again: --with ${picked}`), text().slice(-2000));
});

test("Ctrl-C writes nothing", async () => {
  const { input, output } = terminal([]);
  await assert.rejects(askSelection(await sessionOf(), { input, output }), /stopped; nothing was written/);
});
