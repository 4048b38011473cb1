/** Whether there is a file: apart from what else is done with files (disk.ts), because this is asked at every start. */
import { isAscii } from "../base/bytes.ts";
import { isFileThere } from "../base/system-calls.ts";

/** Is there anything under this name, a latin1 string? */
export function fileExists(path: string): boolean {
  return isFileThere(isAscii(path) ? path : Buffer.from(path, "latin1"));
}
