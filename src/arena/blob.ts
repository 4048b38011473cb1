/**
 * A run of bytes of any size under one number. Up to BLOCK_MAX it is an arena block, above that a large buffer; the number tells which:
 *
 *   BlobRef (int32, 0 = none):  [31:5][LargeId:27]   a large buffer      (the arena has 31 segments, 0 to 30)
 *                               any other            a Ref
 *
 * Whoever reads takes blobBuffer and blobAt once and goes on with offsets; both are void after the next allocation of that blob.
 */
import { copyBytes } from "../base/bytes.ts";
import { type Arena, BLOCK_MAX, blockCapacity, GRANULE_MASK, SEGMENT_SHIFT } from "./arena.ts";

/** Number of a blob; see the layout above. */
export type BlobRef = number;

const LARGE_SEGMENT = 31;

function isLarge(blob: BlobRef): boolean {
  return blob >>> SEGMENT_SHIFT === LARGE_SEGMENT;
}

/** A blob with room for `size` bytes (1 or more), not zeroed. */
export function blobAlloc(a: Arena, size: number): BlobRef {
  if (size <= BLOCK_MAX) return a.alloc(size);
  return (LARGE_SEGMENT << SEGMENT_SHIFT) | a.allocLarge(size);
}

export function blobFree(a: Arena, blob: BlobRef): void {
  if (isLarge(blob)) a.freeLarge(blob & GRANULE_MASK);
  else a.free(blob);
}

/** The buffer that holds a blob. */
export function blobBuffer(a: Arena, blob: BlobRef): Uint8Array {
  return isLarge(blob) ? (a.large[blob & GRANULE_MASK] as Uint8Array) : a.u8[blob >>> SEGMENT_SHIFT];
}

/** Where a blob begins in its buffer: a multiple of 8. */
export function blobAt(_a: Arena, blob: BlobRef): number {
  return isLarge(blob) ? 0 : (blob & GRANULE_MASK) << 3;
}

/** Bytes that a blob has room for. */
export function blobCapacity(a: Arena, blob: BlobRef): number {
  return isLarge(blob) ? (a.large[blob & GRANULE_MASK] as Uint8Array).length : a.capacity(blob);
}

/**
 * A blob with room for `size` bytes whose first `used` bytes are those of `blob` (fewer when it shrinks). Keeps the block when `size` falls into its class;
 * otherwise the old blob is freed. Large blobs grow with a quarter of slack, so that appending costs amortised O(n).
 */
export function blobResize(a: Arena, blob: BlobRef, used: number, size: number): BlobRef {
  const capacity = blobCapacity(a, blob);
  if (size <= capacity && (isLarge(blob) ? size >= capacity >> 1 : blockCapacity(size) === capacity)) return blob;
  const fresh = blobAlloc(a, size > BLOCK_MAX && size > capacity ? size + (size >> 2) : size);
  const kept = used < size ? used : size;
  copyBytes(blobBuffer(a, blob), blobAt(a, blob), blobBuffer(a, fresh), blobAt(a, fresh), kept);
  blobFree(a, blob);
  return fresh;
}
