import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createTokenAuthority } from "./auth-token.ts";

const secret = Buffer.alloc(32, 7);
const authority = createTokenAuthority(secret);
const claims = { subject: "ci", scopes: ["read", "write"] as const, issuedAtMs: 1_000_000, expiresAtMs: 2_000_000 };

test("a token gives its claims until it expires", () => {
  const token = authority.issue(claims);
  assert.deepEqual(authority.verify(token, 1_500_000), claims);
  assert.equal(authority.verify(token, 2_000_000), undefined);
  assert.equal(createTokenAuthority(Buffer.alloc(32, 8)).verify(token, 1_500_000), undefined);
});

test("no other text is a token: every character counts", () => {
  const token = authority.issue(claims);
  fc.assert(fc.property(fc.nat(token.length - 1), fc.constantFrom("A", "B", "z", ".", "=", " "), (at, letter) => {
    const forged = token.slice(0, at) + letter + token.slice(at + 1);
    // The last letter of the code has two bits that base64 does not use.
    if (forged === token || at === token.length - 1) return;
    assert.equal(authority.verify(forged, 1_500_000), undefined);
  }), { numRuns: 2000 });
  for (const text of ["", ".", "..", "lathe1..", token.slice(0, -1), `${token}.`, `x${token}`, "a".repeat(100_000)]) {
    assert.equal(authority.verify(text, 1_500_000), undefined);
  }
});

test("a token does not choose how it is verified", () => {
  const [, payload] = authority.issue(claims).split(".");
  for (const version of ["lathe0", "none", ""]) {
    const code = createHmac("sha256", secret).update(`${version}.${payload}`).digest("base64url");
    assert.equal(authority.verify(`${version}.${payload}.${code}`, 1_500_000), undefined);
  }
  for (const json of ["null", "[]", "{}", '{"sub":"a","scope":"admin","iat":0}', '{"sub":"a","scope":7,"iat":0,"exp":9e9}']) {
    const signed = `lathe1.${Buffer.from(json).toString("base64url")}`;
    const code = createHmac("sha256", secret).update(signed).digest("base64url");
    assert.equal(authority.verify(`${signed}.${code}`, 1_500_000), undefined, json);
  }
});

test("claims that make no sense are not signed", () => {
  const wrong = [
    { ...claims, scopes: [] }, { ...claims, scopes: ["root"] as never }, { ...claims, expiresAtMs: claims.issuedAtMs },
    { ...claims, subject: "a\nb" }, { ...claims, subject: "a".repeat(65) }, { ...claims, expiresAtMs: Number.NaN },
  ];
  for (const each of wrong) assert.throws(() => authority.issue(each), { code: "INVALID_ARGUMENT" });
  assert.throws(() => createTokenAuthority(Buffer.alloc(31)), { code: "INVALID_ARGUMENT" });
});
