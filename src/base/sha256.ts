/** SHA-256 of bytes: the form in which passwords are kept. */

/** Lower-case hexadecimal SHA-256 (64 digits) of `src[offset, offset + length)`. */
export function sha256Hex(src: Uint8Array, offset: number, length: number): string {
  return Bun.CryptoHasher.hash("sha256", src.subarray(offset, offset + length), "hex");
}
