/**
 * Capability flags of the connection phase, and which of them this surface offers.
 *
 * TLS is offered where the server has an identity and the network can do it. Not offered, and refused where a client
 * sets it all the same: compression. Not offered and ignored: session tracking, LOCAL INFILE, query attributes,
 * optional metadata.
 * Source: MySQL's include/mysql/protocol/capabilities, "Capabilities Flags" in its source documentation.
 */
export const capability = {
  longPassword: 1,
  foundRows: 1 << 1,
  longFlag: 1 << 2,
  connectWithDatabase: 1 << 3,
  compress: 1 << 5,
  ignoreSpace: 1 << 8,
  protocol41: 1 << 9,
  interactive: 1 << 10,
  ssl: 1 << 11,
  ignoreSigpipe: 1 << 12,
  transactions: 1 << 13,
  secureConnection: 1 << 15,
  multiStatements: 1 << 16,
  multiResults: 1 << 17,
  preparedMultiResults: 1 << 18,
  pluginAuth: 1 << 19,
  connectAttributes: 1 << 20,
  pluginAuthLengthEncoded: 1 << 21,
  deprecateEof: 1 << 24,
  zstdCompress: 1 << 26,
} as const;

export const offeredCapabilities =
  capability.longPassword | capability.foundRows | capability.longFlag | capability.connectWithDatabase |
  capability.ignoreSpace | capability.protocol41 | capability.interactive | capability.ignoreSigpipe |
  capability.transactions | capability.secureConnection | capability.multiStatements |
  capability.multiResults | capability.preparedMultiResults | capability.pluginAuth |
  capability.connectAttributes |
  capability.pluginAuthLengthEncoded | capability.deprecateEof;

/** Bits of the status field of OK and EOF packets. */
export const serverStatus = { inTransaction: 1, autocommit: 2, moreResults: 8 } as const;
