/** `mysql://user:password@host:port/database`, as people give servers that are not ours. */
import { LatheError } from "../kit/errors.ts";
import type { Endpoint } from "./server.ts";

const portDefault = 3306;

/** Errors: INVALID_ARGUMENT. The message never repeats the password. */
export function parseEndpointUrl(text: string): Endpoint {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid();
  }
  if (url.protocol !== "mysql:" && url.protocol !== "mariadb:") throw invalid();
  if (url.hostname === "" || url.username === "") throw invalid();
  const database = decodeURIComponent(url.pathname.slice(1));
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? portDefault : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: database === "" ? undefined : database,
  };
}

function invalid(): LatheError {
  return new LatheError("INVALID_ARGUMENT", "expected mysql://user:password@host:port/database");
}
