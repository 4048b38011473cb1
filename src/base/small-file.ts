/**
 * Small files of the system, as under /proc: a start reads several. The runtime's own reading of a file whose size is not known beforehand begins with a
 * buffer of 256 KiB, and makes the process's first Buffer: three times as slow.
 */
import { closeFile, openFile, readBytes } from "./system-calls.ts";

/** More than any of them has. */
const TEXT_BYTES_MAX = 4096;

/** Room for a config file without its comments; more is made when it is not enough. */
const FIRST_BYTES = 16_384;

/** The first `bytesMax` bytes of a file. Throws the system's error. */
export function readSmallFile(path: string, bytesMax: number): Uint8Array {
  const bytes = new Uint8Array(bytesMax);
  const fd = openFile(path, "r");
  try {
    return bytes.subarray(0, readBytes(fd, bytes));
  } finally {
    closeFile(fd);
  }
}

/** All of a file, whatever its size is. Throws the system's error. */
export function readWholeFile(path: string | Buffer): Uint8Array {
  const fd = openFile(path, "r");
  try {
    let bytes = new Uint8Array(FIRST_BYTES);
    let length = 0;
    for (let count = -1; count !== 0; length += count) {
      if (length === bytes.length) {
        const larger = new Uint8Array(length * 2);
        larger.set(bytes);
        bytes = larger;
      }
      count = readBytes(fd, bytes.subarray(length));
    }
    return bytes.subarray(0, length);
  } finally {
    closeFile(fd);
  }
}

/** A file of up to 4 KiB of ASCII. Throws the system's error. */
export function readSmallText(path: string): string {
  return new TextDecoder().decode(readSmallFile(path, TEXT_BYTES_MAX));
}
