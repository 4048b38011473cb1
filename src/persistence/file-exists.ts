/** Whether there is a file: apart from what else is done with files (disk.ts), because this is asked at every start. */
import { existsSync } from "node:fs";

/** Is there anything under this name, a latin1 string? */
export function fileExists(path: string): boolean {
  return existsSync(Buffer.from(path, "latin1"));
}
