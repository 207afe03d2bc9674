/**
 * Who may use a route: a token with its scope, or, where that is allowed, anybody on this machine.
 *
 * Without a token a request must come from a program, not from a page in a browser: pages of strangers can send
 * requests to loopback too. A page's requests carry an Origin, and behind a name that a stranger lets point to loopback
 * (DNS rebinding) the Host is not ours; both are refused.
 * A token that is given must be valid, also where none is needed. The last one of a surface that was found valid is
 * remembered, so that a client's requests do not each pay for the signature; its expiry is looked at every time.
 */
import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../../../../kit/env/env.ts";
import type { HttpAnswer, HttpRequest } from "../../../architecture/networking/http-application.ts";
import type { TokenAuthority, TokenClaims, TokenScope } from "../../../architecture/security/token-authority.ts";
import { problemAnswer } from "./problem.ts";

export interface AccessOptions {
  readonly authority: TokenAuthority;
  /** Whether requests without a token are served. */
  readonly anonymous: boolean;
  readonly clock: Clock;
}

const rememberedMax = 64;
const challenge = [["WWW-Authenticate", "Bearer"]] as const;

export class Access {
  readonly #options: AccessOptions;
  readonly #remembered: { readonly token: Buffer; readonly claims: TokenClaims }[] = [];
  refusals = 0;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** The answer that refuses, or undefined. */
  refusal(request: HttpRequest, scope: TokenScope | "none"): HttpAnswer | undefined {
    if (scope === "none") return undefined;
    const refused = this.#judge(request, scope);
    if (refused !== undefined) this.refusals++;
    return refused;
  }

  #judge(request: HttpRequest, scope: TokenScope): HttpAnswer | undefined {
    const given = request.header("authorization");
    if (given === undefined) return this.#options.anonymous ? judgePage(request) : problemAnswer(401, "", challenge);
    // SNDV-KV's clients send the token alone.
    const claims = this.#claimsOf(given.replace(/^Bearer +/i, ""));
    if (claims === undefined) return problemAnswer(401, "", challenge);
    if (claims.scopes.includes(scope) || claims.scopes.includes("admin")) return undefined;
    return problemAnswer(403, `the token does not allow to ${scope}`);
  }

  #claimsOf(text: string): TokenClaims | undefined {
    const nowMs = this.#options.clock.nowMs();
    const token = Buffer.from(text, "latin1");
    const known = this.#remembered.find(
      (one) => one.token.length === token.length && timingSafeEqual(one.token, token),
    );
    if (known !== undefined) return nowMs < known.claims.expiresAtMs ? known.claims : undefined;
    const claims = this.#options.authority.verify(text, nowMs);
    if (claims === undefined) return undefined;
    if (this.#remembered.length >= rememberedMax) this.#remembered.shift();
    this.#remembered.push({ token, claims });
    return claims;
  }
}

/** Requests of pages are refused where no token says whose they are. */
function judgePage(request: HttpRequest): HttpAnswer | undefined {
  if (request.header("origin") !== undefined) {
    return problemAnswer(403, "pages of browsers need a token");
  }
  const host = request.header("host") ?? "localhost";
  if (/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host)) return undefined;
  return problemAnswer(403, "without a token this server is asked as localhost");
}
