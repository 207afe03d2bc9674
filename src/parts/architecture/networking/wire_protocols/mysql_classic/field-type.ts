/**
 * Type codes of columns and parameters on the wire.
 * Source: MySQL's enum_field_types (include/field_types.h).
 */
export const fieldType = {
  decimal: 0x00,
  tiny: 0x01,
  short: 0x02,
  long: 0x03,
  float: 0x04,
  double: 0x05,
  null: 0x06,
  timestamp: 0x07,
  longlong: 0x08,
  int24: 0x09,
  date: 0x0a,
  time: 0x0b,
  datetime: 0x0c,
  year: 0x0d,
  varchar: 0x0f,
  bit: 0x10,
  json: 0xf5,
  newDecimal: 0xf6,
  enum: 0xf7,
  set: 0xf8,
  tinyBlob: 0xf9,
  mediumBlob: 0xfa,
  longBlob: 0xfb,
  blob: 0xfc,
  varString: 0xfd,
  string: 0xfe,
  geometry: 0xff,
} as const;

/** Collations that this surface names; text is UTF-8 whatever the client asked for. */
export const collation = { utf8mb4GeneralCi: 45, binary: 63 } as const;

export const columnFlag = { notNull: 1, binary: 128 } as const;
