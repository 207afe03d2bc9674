/**
 * DataEndpoint: where import and export find a table: a server that is given by URL, or the data directory of a stopped
 * product, which is then served on loopback, by its own code, for as long as the work takes.
 */
import { parseEndpointUrl } from "../fleet/endpoint-url.ts";
import { startProduct } from "../fleet/product-server.ts";
import type { Endpoint } from "../fleet/server.ts";
import { LatheError } from "../kit/errors.ts";

export interface DataPlace {
  readonly url: string | undefined;
  readonly product: string | undefined;
  readonly data: string | undefined;
}

/** Errors: INVALID_ARGUMENT, NOT_FOUND, CLOSED (the product did not start). */
export async function withEndpoint<Result>(
  place: DataPlace,
  use: (endpoint: Endpoint) => Promise<Result>,
): Promise<Result> {
  const { url, product, data } = place;
  if (url !== undefined && product === undefined && data === undefined) return use(parseEndpointUrl(url));
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
