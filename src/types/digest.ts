/**
 * A 20-byte digest of values, as DEBUG DIGEST and DEBUG DIGEST-VALUE answer it: the same algorithm as Redis', so that the digests of two servers
 * can be compared. What comes in an order is mixed (the state is hashed again each time); what comes in no order is added by exclusive or.
 */
import { sha1 } from "../base/sha1.ts";

export const DIGEST_BYTES = 20;

export class Digest {
  readonly state = new Uint8Array(DIGEST_BYTES);

  /** Starts anew. */
  clear(): void {
    this.state.fill(0);
  }

  /** Adds bytes in no order: equal elements cancel each other. */
  add(buf: Uint8Array, at: number, length: number): void {
    const hash = sha1(buf, at, length);
    for (let i = 0; i < DIGEST_BYTES; i++) this.state[i] ^= hash[i];
  }

  /** Adds bytes whose place in the sequence of calls matters. */
  mix(buf: Uint8Array, at: number, length: number): void {
    this.add(buf, at, length);
    this.state.set(sha1(this.state, 0, DIGEST_BYTES));
  }

  /** Forty hexadecimal digits. */
  toString(): string {
    return Buffer.from(this.state).toString("hex");
  }
}
