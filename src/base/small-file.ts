/**
 * Small files of the system, as under /proc: a start reads several. The runtime's own reading of a file whose size is not known beforehand begins with a
 * buffer of 256 KiB, and makes the process's first Buffer: three times as slow.
 */
import { closeSync, openSync, readSync } from "node:fs";

/** More than any of them has. */
const TEXT_BYTES_MAX = 4096;

/** The first `bytesMax` bytes of a file. Throws the system's error. */
export function readSmallFile(path: string, bytesMax: number): Uint8Array {
  const bytes = new Uint8Array(bytesMax);
  const fd = openSync(path, "r");
  try {
    return bytes.subarray(0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

/** A file of up to 4 KiB of ASCII. Throws the system's error. */
export function readSmallText(path: string): string {
  return new TextDecoder().decode(readSmallFile(path, TEXT_BYTES_MAX));
}
