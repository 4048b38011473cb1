/** XXH3 (Yann Collet's 64-bit variant, seed 0): the digest that DIGEST, SET IFDEQ and DELEX IFDEQ compare values by. */

/** Characters of a digest. */
export const DIGEST_LENGTH = 16;

/** XXH3-64 of a run as 16 lower-case hexadecimal digits. Makes a view and a string: for values, not for every command. */
export function xxh3Hex(buf: Uint8Array, offset: number, length: number): string {
  return Bun.hash
    .xxHash3(buf.subarray(offset, offset + length))
    .toString(16)
    .padStart(DIGEST_LENGTH, "0");
}
