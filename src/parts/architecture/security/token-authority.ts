/**
 * TokenAuthority: who may do what, for how long, carried by the client as a signed token.
 *
 * Contract: what was not signed with this authority's secret, or has expired, gives no claims; comparing takes the same
 * time wherever a forged token differs; neither secret nor token is ever logged.
 */

/** `write` does not include `read`; `admin` includes both. */
export type TokenScope = "read" | "write" | "admin";

export const tokenScopes: readonly TokenScope[] = ["read", "write", "admin"];

export interface TokenClaims {
  /** For people: who was given the token. */
  readonly subject: string;
  readonly scopes: readonly TokenScope[];
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

export interface TokenAuthority {
  /** Errors: INVALID_ARGUMENT for claims that make no sense. */
  issue(claims: TokenClaims): string;
  /** Undefined for anything but a token of this authority that is valid at this time. */
  verify(token: string, nowMs: number): TokenClaims | undefined;
}
