/**
 * Signed tokens: claims in clear, and a code over them that only a holder of the secret can make.
 *
 * | field    | text                                                                                        |
 * |----------|---------------------------------------------------------------------------------------------|
 * | version  | `lathe1`                                                                                    |
 * | `.`      |                                                                                             |
 * | claims   | base64url of JSON: `sub`, `scope` (names with a space between), `iat`, `exp` (seconds)      |
 * | `.`      |                                                                                             |
 * | code     | base64url of HMAC-SHA-256 over everything before the second dot, 32 bytes                   |
 *
 * The version is signed with the claims, and says how: a token cannot choose a weaker code for itself.
 * Source: PASETO (versions instead of algorithms named by the token), RFC 7519 for the names of claims.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { LatheError } from "../../../../../kit/errors.ts";
import { type TokenAuthority, type TokenClaims, type TokenScope, tokenScopes } from "../../token-authority.ts";

const version = "lathe1";
const codeBytes = 32;
const secretBytesMin = 32;
const tokenCharsMax = 1024;
const subjectCharsMax = 64;

/** Errors: INVALID_ARGUMENT for a secret of less than 32 bytes. */
export function createTokenAuthority(secret: Uint8Array): TokenAuthority {
  if (secret.length < secretBytesMin) {
    throw new LatheError("INVALID_ARGUMENT", `a token secret has at least ${secretBytesMin} bytes`);
  }
  const codeOf = (text: string) => createHmac("sha256", secret).update(text, "latin1").digest();
  return {
    issue(claims: TokenClaims): string {
      checkClaims(claims);
      const { subject, scopes, issuedAtMs, expiresAtMs } = claims;
      const payload = JSON.stringify({
        sub: subject, scope: scopes.join(" "), iat: Math.floor(issuedAtMs / 1000), exp: Math.ceil(expiresAtMs / 1000),
      });
      const signed = `${version}.${Buffer.from(payload).toString("base64url")}`;
      return `${signed}.${codeOf(signed).toString("base64url")}`;
    },

    verify(token: string, nowMs: number): TokenClaims | undefined {
      if (token.length > tokenCharsMax) return undefined;
      const parts = token.split(".");
      if (parts.length !== 3 || parts[0] !== version) return undefined;
      const given = Buffer.from(parts[2], "base64url");
      const wanted = codeOf(`${parts[0]}.${parts[1]}`);
      // A code of another length is no secret; its comparison need not take the same time.
      if (given.length !== codeBytes || !timingSafeEqual(given, wanted)) return undefined;
      const claims = readClaims(parts[1]);
      return claims !== undefined && nowMs < claims.expiresAtMs ? claims : undefined;
    },
  };
}

function checkClaims({ subject, scopes, issuedAtMs, expiresAtMs }: TokenClaims): void {
  if (!/^[\x20-\x7e]*$/.test(subject) || subject.length > subjectCharsMax) {
    throw new LatheError("INVALID_ARGUMENT", `a token's subject has up to ${subjectCharsMax} printable characters`);
  }
  const unknown = scopes.find((scope) => !tokenScopes.includes(scope));
  if (scopes.length === 0 || unknown !== undefined) {
    throw new LatheError("INVALID_ARGUMENT", `a token has scopes out of ${tokenScopes.join(", ")}`);
  }
  if (!Number.isSafeInteger(issuedAtMs) || !Number.isSafeInteger(expiresAtMs) || expiresAtMs <= issuedAtMs) {
    throw new LatheError("INVALID_ARGUMENT", "a token expires after it was issued, at a time in whole milliseconds");
  }
}

/** Of text whose code was right. */
function readClaims(payload: string): TokenClaims | undefined {
  try {
    const { sub, scope, iat, exp } = JSON.parse(Buffer.from(payload, "base64url").toString());
    if (typeof sub !== "string" || typeof scope !== "string") return undefined;
    if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) return undefined;
    const scopes = scope.split(" ").filter((one): one is TokenScope => tokenScopes.includes(one as TokenScope));
    return { subject: sub, scopes, issuedAtMs: iat * 1000, expiresAtMs: exp * 1000 };
  } catch {
    return undefined;
  }
}
