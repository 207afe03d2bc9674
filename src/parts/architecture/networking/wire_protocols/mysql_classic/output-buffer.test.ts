import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OutputBuffer, OutputSlab } from "./output-buffer.ts";
import { PacketReader } from "./packet-reader.ts";
import { packetsOf } from "./raw-client.fixture.ts";

function record() {
  const sent: Uint8Array[] = [];
  return { sent, send: (bytes: Uint8Array) => void sent.push(bytes) };
}

/** A network that takes bytes at once, or holds them as they are: those must not change any more. */
function recordAsNetwork(takes: () => boolean) {
  const sent: Uint8Array[] = [];
  const send = (bytes: Uint8Array) => {
    const taken = takes();
    sent.push(taken ? Buffer.from(bytes) : bytes);
    return taken;
  };
  return { sent, send };
}

test("length-encoded integers take the shortest form and read back", () => {
  const sizes = new Map([[0, 1], [250, 1], [251, 3], [65_535, 3], [65_536, 4], [16_777_215, 4], [16_777_216, 9]]);
  for (const [value, size] of sizes) {
    const { sent, send } = record();
    const output = new OutputBuffer(new OutputSlab(), send);
    output.writeLength(value);
    output.flush();
    assert.equal(sent[0].length, size);
    assert.equal(new PacketReader(Buffer.from(sent[0])).length(), value);
  }
});

test("packets of several connections come out whole, in order, and are never overwritten before they are taken", () => {
  const step = fc.record({
    connection: fc.nat(2),
    sizes: fc.array(fc.oneof(fc.nat(300), fc.nat(40_000)), { maxLength: 4 }),
    flush: fc.boolean(),
  });
  const takes = fc.infiniteStream(fc.boolean());
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), takes, (steps, stream) => {
    const slab = new OutputSlab();
    const taken = () => stream.next().value as boolean;
    const records = [recordAsNetwork(taken), recordAsNetwork(taken), recordAsNetwork(taken)];
    const outputs = records.map(({ send }) => new OutputBuffer(slab, send));
    const expected: number[][] = [[], [], []];
    steps.forEach(({ connection, sizes, flush }, number) => {
      const output = outputs[connection];
      for (const size of sizes) {
        output.beginPacket();
        output.writeBytes(new Uint8Array(size).fill(number));
        output.endPacket();
        expected[connection].push(size, number);
      }
      if (flush) output.flush();
    });
    outputs.forEach((output) => output.flush());
    records.forEach(({ sent }, connection) => {
      const found = packetsOf(Buffer.concat(sent)).flatMap(({ payload, sequence }, index) => {
        assert.equal(sequence, index & 0xff);
        assert.ok(payload.every((byte) => byte === payload[0]));
        return [payload.length, payload[0]];
      });
      const wanted = expected[connection].map((value, index) =>
        index % 2 === 1 && expected[connection][index - 1] === 0 ? undefined : value);
      assert.deepEqual(found, wanted);
    });
    assert.equal(slab.leased, false);
  }), { numRuns: 60 });
});

test("a turn writes over what the network has taken, and not over what it holds", () => {
  const slab = new OutputSlab();
  const views: Uint8Array[] = [];
  const answer = (fill: number, taken: boolean) => {
    const output = new OutputBuffer(slab, (bytes) => views.push(bytes) > 0 && taken);
    output.writeBytes(new Uint8Array(100).fill(fill));
    output.flush();
    return views[views.length - 1];
  };
  assert.equal(answer(1, true), answer(2, true));
  const held = answer(3, false);
  assert.notEqual(answer(4, true).byteOffset, held.byteOffset);
  assert.ok(held.every((byte) => byte === 3));
});

test("payloads of 16 MiB - 1 and more are cut into frames", () => {
  for (const length of [0xff_ff_fe, 0xff_ff_ff, 0x1_00_00_00, 2 * 0xff_ff_ff + 5]) {
    const { sent, send } = record();
    const output = new OutputBuffer(new OutputSlab(), send);
    output.beginPacket();
    const payload = Buffer.alloc(length);
    for (let at = 0; at < length; at += 65_521) payload[at] = at % 251;
    output.writeBytes(payload);
    output.endPacket();
    output.flush();
    const packets = packetsOf(Buffer.concat(sent));
    assert.equal(packets.length, Math.floor(length / 0xff_ff_ff) + 1);
    assert.deepEqual(packets.map(({ sequence }) => sequence), packets.map((_, index) => index));
    assert.ok(Buffer.concat(packets.map((packet) => packet.payload)).equals(payload));
  }
});

test("a packet that was not ended is dropped", () => {
  const { sent, send } = record();
  const output = new OutputBuffer(new OutputSlab(), send);
  output.beginPacket();
  output.writeU8(1);
  output.beginPacket();
  output.writeU8(2);
  output.endPacket();
  output.beginPacket();
  output.writeU8(3);
  output.flush();
  output.flush();
  assert.deepEqual(sent.map((bytes) => [...bytes]), [[1, 0, 0, 0, 2]]);
});
