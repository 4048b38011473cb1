/** SHA-1 of bytes: the name under which a script is cached, and the digest of DEBUG DIGEST. */

/** Lower-case hexadecimal SHA-1 (40 digits) of `src[offset, offset + length)`. */
export function sha1Hex(src: Uint8Array, offset: number, length: number): string {
  return Bun.CryptoHasher.hash("sha1", src.subarray(offset, offset + length), "hex");
}

/** SHA-1 (20 bytes) of `src[offset, offset + length)`. */
export function sha1(src: Uint8Array, offset: number, length: number): Uint8Array {
  const digest = new Uint8Array(20);
  Bun.CryptoHasher.hash("sha1", src.subarray(offset, offset + length), digest);
  return digest;
}
