/** What is wrong with an RDB file or a payload, and where. */

/** Kinds of fault. */
export const Fault = {
  /** The bytes end too early. */
  Truncated: "truncated",
  /** No RDB file at all, or one of a version that is not understood. */
  Signature: "signature",
  Version: "version",
  /** Bytes that cannot be right. */
  Corrupt: "corrupt",
  /** Bytes that cannot be right, which a look at their surface did not show: who does not look deeper would have taken them. */
  Hidden: "hidden",
  /** The checksum is another. */
  Checksum: "checksum",
  /** A right value of a kind that this server does not have. */
  Unsupported: "unsupported",
  /** A collection without elements, which is passed over when a file is loaded. */
  EmptyKey: "empty key",
} as const;

export type Fault = (typeof Fault)[keyof typeof Fault];

/** Thrown by all that reads RDB. `text` is Redis' where Redis has one. */
export class RdbError extends Error {
  readonly fault: Fault;
  readonly text: string;
  /** Bytes from the start of the file or payload. */
  readonly offset: number;

  constructor(fault: Fault, text: string, offset: number) {
    super(`RDB, offset ${offset}: ${text}`);
    this.fault = fault;
    this.text = text;
    this.offset = offset;
  }
}
