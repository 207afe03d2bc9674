/**
 * DataEndpoint: where import and export find a table: a server that is given by URL, or the data directory of a stopped
 * product, which is then served on loopback, by its own code, for as long as the work takes.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseEndpointUrl } from "../fleet/endpoint-url.ts";
import { startProduct } from "../fleet/product-server.ts";
import type { Endpoint, TlsTrust } from "../fleet/server.ts";
import { isSystemError, translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";

export interface DataPlace {
  readonly url: string | undefined;
  readonly product: string | undefined;
  readonly data: string | undefined;
  /** With `url`: file with the certificate (PEM) of who vouches for the server. */
  readonly ca?: string | undefined;
  /** With `url`: whether it does not matter who the server is, and whether others read along. */
  readonly insecure?: boolean | undefined;
}

/** Errors: INVALID_ARGUMENT, NOT_FOUND. */
function trustOf({ ca, insecure = false }: DataPlace): TlsTrust | undefined {
  if (insecure && ca !== undefined) {
    throw new LatheError("INVALID_ARGUMENT", "--insecure trusts everybody, --ca one authority; give one of them");
  }
  if (insecure) return undefined;
  if (ca === undefined) return { ca };
  try {
    const text = readFileSync(ca, "utf8");
    // Throws where it is none; a file of several is taken as it is.
    new X509Certificate(text).toString();
    return { ca: text };
  } catch (cause) {
    if (isSystemError(cause)) throw translateSystemError(cause, "read", ca);
    throw new LatheError("INVALID_ARGUMENT", `${ca} is no certificate in PEM form`, { cause });
  }
}

/** Errors: INVALID_ARGUMENT, NOT_FOUND, CLOSED (the product did not start). */
export async function withEndpoint<Result>(
  place: DataPlace,
  use: (endpoint: Endpoint) => Promise<Result>,
): Promise<Result> {
  const { url, product, data } = place;
  if (url !== undefined && product === undefined && data === undefined) {
    return use({ ...parseEndpointUrl(url), tls: trustOf(place) });
  }
  if (url !== undefined || product === undefined || data === undefined) {
    throw new LatheError("INVALID_ARGUMENT", "name --url mysql://…, or --product DIR and --data DIR");
  }
  const server = await startProduct({ productDirectory: product, dataDirectory: data });
  try {
    return await use(server.endpoint);
  } finally {
    await server.stop();
  }
}
