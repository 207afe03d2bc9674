/**
 * First byte of every packet of the command phase.
 * Source: MySQL's enum_server_command (include/my_command.h).
 */
export const commandCode = {
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  fieldList: 0x04,
  statistics: 0x09,
  processInfo: 0x0a,
  processKill: 0x0c,
  ping: 0x0e,
  changeUser: 0x11,
  prepare: 0x16,
  execute: 0x17,
  sendLongData: 0x18,
  closeStatement: 0x19,
  resetStatement: 0x1a,
  setOption: 0x1b,
  fetch: 0x1c,
  resetConnection: 0x1f,
} as const;

/** Names by code, for metrics; codes without a name count as `unknown`. */
export const commandNames: ReadonlyMap<number, string> = new Map(
  Object.entries(commandCode).map(([name, code]) => [
    code,
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  ]),
);
