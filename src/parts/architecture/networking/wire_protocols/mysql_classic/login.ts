/**
 * The connection phase of one connection: greeting, response, perhaps a change of plugin, perhaps
 * the full path.
 *
 *   | state     | the client's packet is                | next                                             |
 *   |-----------|---------------------------------------|--------------------------------------------------|
 *   | response  | a request for TLS                     | `response`, under TLS                            |
 *   | response  | handshake response 4.1                | judged, or `switched` where the plugin differs   |
 *   | switched  | a scramble by the plugin asked for    | judged                                           |
 *   | full      | 02, or the password under the key     | public key and `full`, or judged                 |
 *
 * Judged ends in OK or in ERR 1045 and close, the same for a wrong password and an unknown user.
 * Source: "Connection Phase" in MySQL's source documentation.
 */
import type { AuthPlugin, AuthStep } from "./authentication.ts";
import { createNonce } from "./authentication.ts";
import { capability } from "./capability.ts";
import { readChangeUser, readHandshakeResponse, writeHandshake } from "./handshake.ts";
import type { TlsState } from "./handshake.ts";
import type { OutputBuffer } from "./output-buffer.ts";
import type { PacketReader } from "./packet-reader.ts";
import type { ProtocolContext } from "./protocol-context.ts";
import type { ResultWriter } from "./result-writer.ts";
import { protocolError } from "./wire-error.ts";

/** `tls`: the client's handshake of TLS follows. */
export type LoginOutcome = "pending" | "accepted" | "refused" | "tls";

const defaultPlugin: AuthPlugin = "caching_sha2_password";
const moreData = 0x01;
const switchRequest = 0xfe;
const fastAccepted = Buffer.of(3);
const userLengthMax = 64;

export class Login {
  readonly #context: ProtocolContext;
  readonly #output: OutputBuffer;
  readonly #results: ResultWriter;
  #state: "response" | "switched" | "full" = "response";
  #nonce: Buffer;
  /** What the client says, believed only once it is accepted. */
  user = "";
  database = "";
  #plugin: AuthPlugin = defaultPlugin;
  #tls: TlsState;

  constructor(context: ProtocolContext, output: OutputBuffer, results: ResultWriter, tls: TlsState) {
    this.#tls = tls;
    this.#context = context;
    this.#output = output;
    this.#results = results;
    this.#nonce = this.#freshNonce();
  }

  greet(connectionId: number): void {
    const { serverVersion } = this.#context;
    const tls = this.#tls !== "absent" && this.#tls !== "local";
    writeHandshake(this.#output, { serverVersion, connectionId, nonce: this.#nonce, plugin: defaultPlugin, tls });
  }

  /** Handles one packet. Errors: PROTOCOL for a malformed one. */
  handle(reader: PacketReader): LoginOutcome {
    const { authenticator } = this.#context;
    if (this.#state === "response") return this.#handleResponse(reader);
    const data = reader.view(reader.remaining);
    return this.#apply(
      this.#state === "switched"
        ? authenticator.begin(this.#plugin, this.user, data, this.#nonce)
        : authenticator.continue(this.user, data, this.#nonce, this.#tls === "secured" || this.#tls === "local"),
    );
  }

  /**
   * COM_CHANGE_USER: whatever scramble came with it is ignored and asked for again, under a fresh
   * nonce.
   */
  changeUser(reader: PacketReader): void {
    const { user, database, plugin } = readChangeUser(reader);
    this.user = user;
    this.database = database;
    this.#plugin = this.#context.authenticator.choose(plugin);
    this.#requestSwitch();
  }

  #handleResponse(reader: PacketReader): LoginOutcome {
    const response = readHandshakeResponse(reader, this.#tls);
    if (response === "tls") {
      this.#tls = "secured";
      return "tls";
    }
    if (!("scramble" in response)) {
      this.#results.error(response);
      return "refused";
    }
    this.#results.capabilities = response.capabilities;
    this.user = response.user;
    this.database = response.database;
    this.#plugin = this.#context.authenticator.choose(response.plugin);
    if (this.#plugin === response.plugin) {
      const { authenticator } = this.#context;
      return this.#apply(authenticator.begin(this.#plugin, response.user, response.scramble, this.#nonce));
    }
    if ((response.capabilities & capability.pluginAuth) === 0) {
      const message = `this client cannot do ${this.#plugin}; use a newer one`;
      this.#results.error(protocolError("handshake", message));
      return "refused";
    }
    this.#requestSwitch();
    return "pending";
  }

  #requestSwitch(): void {
    this.#nonce = this.#freshNonce();
    this.#state = "switched";
    const output = this.#output;
    output.beginPacket();
    output.writeU8(switchRequest);
    output.writeText(this.#plugin);
    output.writeU8(0);
    output.writeBytes(this.#nonce);
    output.writeU8(0);
    output.endPacket();
  }

  #apply(step: AuthStep): LoginOutcome {
    switch (step.kind) {
      case "more":
        this.#state = "full";
        this.#writeMoreData(step.data);
        return "pending";
      case "denied":
        this.#context.metrics.authenticationFailures++;
        this.#results.error(protocolError(
          "access_denied",
          `Access denied for user '${this.user.slice(0, userLengthMax)}': wrong user or password`,
        ));
        return "refused";
      case "accepted":
        if (step.fast && this.#plugin === "caching_sha2_password") this.#writeMoreData(fastAccepted);
        this.#results.ok();
        return "accepted";
    }
  }

  #writeMoreData(data: Uint8Array): void {
    this.#output.beginPacket();
    this.#output.writeU8(moreData);
    this.#output.writeBytes(data);
    this.#output.endPacket();
  }

  #freshNonce(): Buffer {
    const { random } = this.#context;
    return createNonce((length) => random.bytes(length));
  }
}
