import assert from "node:assert/strict";
import { constants, publicEncrypt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { Authenticator, createNonce } from "./authentication.ts";
import type { AuthPlugin } from "./authentication.ts";
import { seededRandom } from "./protocol-harness.fixture.ts";
import { nativeScramble, sha2Scramble } from "./raw-client.fixture.ts";

const { bytes: randomBytes } = seededRandom();
const scrambles = { mysql_native_password: nativeScramble, caching_sha2_password: sha2Scramble } as const;
const plugins = Object.keys(scrambles) as AuthPlugin[];
const nonce = createNonce(randomBytes);

test("the right password is accepted and every other one denied, by both plugins", () => {
  const authenticator = new Authenticator({ user: "u", password: "secret" }, randomBytes);
  for (const plugin of plugins) {
    assert.equal(authenticator.begin(plugin, "u", scrambles[plugin]("secret", nonce), nonce).kind, "accepted");
    fc.assert(fc.property(fc.string(), (password) => {
      fc.pre(password !== "secret");
      assert.equal(authenticator.begin(plugin, "u", scrambles[plugin](password, nonce), nonce).kind, "denied");
    }));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (scramble) => {
      assert.equal(authenticator.begin(plugin, "u", Buffer.from(scramble), nonce).kind, "denied");
    }));
    const right = scrambles[plugin]("secret", nonce);
    const other = createNonce(randomBytes);
    assert.equal(authenticator.begin(plugin, "u", right, other).kind, "denied", "a scramble is good for one nonce");
    assert.equal(authenticator.begin(plugin, "v", right, nonce).kind, "denied", "and for one user");
    assert.equal(authenticator.begin(plugin, "u", right.subarray(1), nonce).kind, "denied");
    assert.equal(authenticator.begin(plugin, "u", Buffer.concat([right, Buffer.of(0)]), nonce).kind, "denied");
  }
});

test("an empty password is accepted only where the account has none", () => {
  for (const plugin of plugins) {
    const open = new Authenticator({ user: "u", password: "" }, randomBytes);
    assert.equal(open.begin(plugin, "u", Buffer.alloc(0), nonce).kind, "accepted");
    assert.equal(open.begin(plugin, "v", Buffer.alloc(0), nonce).kind, "denied");
    const closed = new Authenticator({ user: "u", password: "x" }, randomBytes);
    assert.equal(closed.begin(plugin, "u", Buffer.alloc(0), nonce).kind, "denied");
  }
});

test("a cold cache asks for the full path, which warms it", () => {
  const authenticator = new Authenticator({ user: "u", password: "secret" }, randomBytes, { fastPath: false });
  const scramble = sha2Scramble("secret", nonce);
  const first = authenticator.begin("caching_sha2_password", "u", scramble, nonce);
  assert.deepEqual(first, { kind: "more", data: Buffer.of(4) });
  const key = authenticator.continue("u", Buffer.of(2), nonce, false);
  assert.ok(key.kind === "more");
  const encrypt = (password: string) => {
    const plain = Buffer.from(`${password}\0`).map((byte, index) => byte ^ nonce[index % 20]);
    return publicEncrypt({ key: key.data.toString(), padding: constants.RSA_PKCS1_OAEP_PADDING }, plain);
  };
  assert.equal(authenticator.continue("u", encrypt("wrong"), nonce, false).kind, "denied");
  assert.equal(authenticator.continue("v", encrypt("secret"), nonce, false).kind, "denied");
  assert.equal(authenticator.continue("u", Buffer.from("secret\0"), nonce, false).kind, "denied", "never in the clear");
  assert.equal(authenticator.continue("u", Buffer.alloc(256, 7), nonce, false).kind, "denied");
  assert.equal(authenticator.begin("caching_sha2_password", "u", scramble, nonce).kind, "more", "still cold");
  assert.deepEqual(authenticator.continue("u", encrypt("secret"), nonce, false), { kind: "accepted", fast: false });
  assert.deepEqual(authenticator.begin("caching_sha2_password", "u", scramble, nonce), { kind: "accepted", fast: true });
});

test("plugins are chosen, nonces are clean, the password is not kept", () => {
  const authenticator = new Authenticator({ user: "u", password: "secret" }, randomBytes);
  assert.equal(authenticator.choose("mysql_native_password"), "mysql_native_password");
  assert.equal(authenticator.choose("mysql_clear_password"), "caching_sha2_password");
  const strict = new Authenticator({ user: "u", password: "secret" }, randomBytes, { nativePassword: false });
  assert.equal(strict.choose("mysql_native_password"), "caching_sha2_password");
  for (let i = 0; i < 200; i++) {
    const clean = createNonce(randomBytes);
    assert.equal(clean.length, 20);
    assert.ok(clean.every((byte) => byte > 0 && byte < 0x80 && byte !== 0x24));
  }
  assert.ok(!JSON.stringify(authenticator).includes("secret"));
});
