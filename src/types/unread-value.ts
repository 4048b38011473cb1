/**
 * A value that cannot be read: RESTORE took it unseen, as sanitize-dump-payload says, and only then it was found to be broken. Redis would go down when the
 * value is used. Here the key is of a type that no command works on; it can be deleted, copied, renamed and dumped, and snapshots pass it over.
 *
 *   entry     type Module; [root: the value as RDB has it, its type first][bytes:28, claimed type:4]
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { type BlobRef, blobAlloc, blobAt, blobBuffer, blobCapacity, blobFree } from "../arena/blob.ts";
import { copyBytes } from "../base/bytes.ts";
import { containerRoot, containerWord, setContainerRoot, setContainerWord } from "./container.ts";
import { entryCreate, entryType, TYPE_NAMES, Type } from "./entry.ts";
import { CONTAINER_BYTES, type ValueType } from "./value-type.ts";

const TYPE_BITS = 4;
const TYPE_MASK = (1 << TYPE_BITS) - 1;
/** Most bytes of such a value. */
export const UNREAD_BYTES_MAX = (1 << (31 - TYPE_BITS)) - 1;

/** An entry that holds the bytes, which claim to be a value of a type. */
export function unreadCreate(
  a: Arena,
  key: Uint8Array,
  keyAt: number,
  keyLength: number,
  buf: Uint8Array,
  at: number,
  length: number,
  claimedType: number,
): Ref {
  const e = entryCreate(a, key, keyAt, keyLength, false, Type.Module, CONTAINER_BYTES);
  setContainerRoot(a, e, bytesOf(a, buf, at, length));
  setContainerWord(a, e, (length << TYPE_BITS) | claimedType);
  return e;
}

function bytesOf(a: Arena, buf: Uint8Array, at: number, length: number): BlobRef {
  const blob = blobAlloc(a, length);
  copyBytes(buf, at, blobBuffer(a, blob), blobAt(a, blob), length);
  return blob;
}

/** True when the value of an entry cannot be read. */
export function isUnread(a: Arena, e: Ref): boolean {
  return entryType(a, e) === Type.Module;
}

/** Bytes of the value. */
export function unreadLength(a: Arena, e: Ref): number {
  return containerWord(a, e) >>> TYPE_BITS;
}

/** The name of the type of an entry's value, or of the one that it claims to be. */
export function valueTypeName(a: Arena, e: Ref): string {
  return TYPE_NAMES[isUnread(a, e) ? containerWord(a, e) & TYPE_MASK : entryType(a, e)];
}

/** The row of such values. */
export const UNREAD: ValueType = {
  free: (a, e) => blobFree(a, containerRoot(a, e)),
  freeEffort: () => 1,
  outsideBytes: (a, e) => blobCapacity(a, containerRoot(a, e)),
  copy(a, source, target) {
    const blob = containerRoot(a, source);
    setContainerRoot(a, target, bytesOf(a, blobBuffer(a, blob), blobAt(a, blob), unreadLength(a, source)));
  },
  digest(a, e, digest) {
    const blob = containerRoot(a, e);
    digest.mix(blobBuffer(a, blob), blobAt(a, blob), unreadLength(a, e));
  },
};
