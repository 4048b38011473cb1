/**
 * Settings are byte strings: file names, passwords and user rules need not be UTF-8, and CONFIG SET must give back what it
 * was given. Inside src/config every string is therefore latin1 ("binary"): one character a byte. These two functions stand
 * where such a string meets an interface that speaks UTF-16 (the command line, process.chdir).
 */

import { isAscii } from "../base/bytes.ts";

/** The latin1 form of a JavaScript string: the bytes of its UTF-8 encoding. */
export function toBinary(text: string): string {
  if (isAscii(text)) return text;
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The JavaScript string whose UTF-8 encoding a latin1 string holds. */
export function fromBinary(binary: string): string {
  if (isAscii(binary)) return binary;
  return Buffer.from(binary, "latin1").toString("utf8");
}
