import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSelfSignedIdentity } from "./self-signed-certificate.ts";
import { tlsInForce, type TlsMode } from "./serve-tls.ts";
import { nodeClock } from "./env/node-clock.ts";
import { NodeRandom } from "./env/node-random.ts";

const env = { clock: nodeClock, random: new NodeRandom() };

function inDirectory(run: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "lathe-serve-tls-"));
  try {
    run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("a self-made certificate says what it was asked to, and is signed by its own key", () => {
  for (const [nowMs, until] of [[Date.UTC(2026, 0, 2), "2035"], [Date.UTC(2046, 0, 2), "2055"]] as const) {
    const { certificatePem } = createSelfSignedIdentity({
      commonName: "localhost", dnsNames: ["localhost", "db.example"], addresses: ["127.0.0.1", "10.0.0.7"],
      nowMs, serial: Buffer.alloc(16, 0xff),
    });
    const certificate = new X509Certificate(certificatePem);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(certificate.subject, "CN=localhost");
    assert.equal(certificate.serialNumber, `7F${"FF".repeat(15)}`);
    assert.equal(certificate.subjectAltName, "DNS:localhost, DNS:db.example, IP Address:127.0.0.1, IP Address:10.0.0.7");
    assert.equal(new Date(certificate.validFrom).getTime(), nowMs - 86_400_000);
    assert.match(certificate.validTo, new RegExp(until));
    assert.equal(certificate.checkHost("db.example"), "db.example");
    assert.equal(certificate.checkIP("10.0.0.7"), "10.0.0.7");
  }
});

test("every mode, near and beyond loopback", () => {
  const outcomes: readonly (readonly [TlsMode, string, "none" | "offered" | "required" | "refused"])[] = [
    ["auto", "127.0.0.1", "none"], ["auto", "0.0.0.0", "required"], ["off", "localhost", "none"],
    ["off", "::", "refused"], ["offered", "::1", "offered"], ["offered", "192.0.2.1", "required"],
    ["required", "127.8.8.8", "required"],
  ];
  inDirectory((directory) => {
    for (const [mode, host, outcome] of outcomes) {
      const run = () => tlsInForce(directory, { mode, host, certificateFile: undefined, keyFile: undefined }, env);
      if (outcome === "refused") assert.throws(run, { code: "INVALID_ARGUMENT", message: /--tls off/ });
      else if (outcome === "none") assert.equal(run(), undefined);
      else assert.equal(run()?.required, outcome === "required", `${mode} ${host}`);
    }
  });
});

test("a self-made certificate is made once, and its key is its owner's alone", () => {
  inDirectory((directory) => {
    const ask = () => {
      return tlsInForce(directory, { mode: "required", host: "::1", certificateFile: undefined, keyFile: undefined }, env);
    };
    const first = ask();
    assert.deepEqual(ask(), first);
    assert.equal(statSync(join(directory, "tls-key.pem")).mode & 0o777, 0o600);
  });
});

test("given files are used, and refused where they do not belong together", () => {
  inDirectory((directory) => {
    const [one, other] = [1, 2].map((serial) => createSelfSignedIdentity({
      commonName: "x", dnsNames: [], addresses: [], nowMs: Date.now(), serial: Buffer.alloc(16, serial),
    }));
    const file = (name: string, text: string) => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const certificateFile = file("cert.pem", one.certificatePem);
    const ask = (keyFile: string | undefined) =>
      tlsInForce(directory, { mode: "auto", host: "127.0.0.1", certificateFile, keyFile }, env);
    assert.deepEqual(ask(file("key.pem", one.privateKeyPem))?.identity, one);
    assert.throws(() => ask(file("other.pem", other.privateKeyPem)), { code: "INVALID_ARGUMENT" });
    assert.throws(() => ask(file("garbage.pem", "garbage")), { code: "INVALID_ARGUMENT" });
    assert.throws(() => ask(join(directory, "nowhere.pem")), { code: "NOT_FOUND" });
    assert.throws(() => ask(undefined), { code: "INVALID_ARGUMENT", message: /together/ });
  });
});

test("openssl reads the certificate", (context) => {
  const { certificatePem } = createSelfSignedIdentity({
    commonName: "localhost", dnsNames: ["localhost"], addresses: ["127.0.0.1"], nowMs: Date.now(),
    serial: Buffer.alloc(16, 9),
  });
  let text = "";
  try {
    text = execFileSync("openssl", ["x509", "-noout", "-text"], { input: certificatePem, encoding: "utf8" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return context.skip("openssl is not installed");
  }
  assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
});
