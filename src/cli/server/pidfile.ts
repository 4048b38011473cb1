/** The file that tells other programs the server's process id. It is never important enough to stop for. */

import type { Logger } from "../../base/log.ts";
import { nodeFs } from "../../base/system-calls.ts";
import type { Config } from "../../config/config.ts";
import { errnoText } from "../../config/errno.ts";

/** Where a server in the background writes its file when no setting says so. */
const DEFAULT_PATH = "/var/run/redis.pid";

/** Path of the file as the settings have it (latin1), or null: none is wanted. `inBackground`: the server runs as a daemon. */
export function pidfilePath(config: Config, inBackground: boolean): string | null {
  const { pidfile } = config.values;
  if (pidfile !== "") return pidfile;
  return inBackground ? DEFAULT_PATH : null;
}

/** Writes the file. A failure is a line in the log. */
export function writePidfile(path: string, log: Logger): void {
  try {
    nodeFs().writeFileSync(Buffer.from(path, "latin1"), `${process.pid}\n`);
  } catch (error) {
    log.warning(`Failed to write PID file: ${errnoText(error)}`);
  }
}

/** Removes the file if it is there. */
export function removePidfile(path: string, log: Logger): void {
  log.notice("Removing the pid file.");
  try {
    nodeFs().unlinkSync(Buffer.from(path, "latin1"));
  } catch {
    // Somebody else has removed it, or it could not be written.
  }
}
