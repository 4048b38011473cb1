/**
 * Cross-protocol scripting: a web page can make a browser send an HTTP request to this server, whose headers are commands that do not exist and whose body
 * could be commands that do. A client that sends POST or Host: as a command is disconnected before it comes to that.
 */
import type { Logger } from "../../base/log.ts";
import type { Client } from "../client/client.ts";
import { Origin } from "../client/client.ts";

/** Lower-case "names of commands" that an HTTP request brings: its method, and a header that every request has. */
const SIGNS: ReadonlySet<string> = new Set(["post", "host:"]);

/** Such requests are logged this often at most, so that the log cannot be filled with them. */
const LOG_EVERY_MS = 60_000;

export class WebRequests {
  #loggedMs = Number.NEGATIVE_INFINITY;

  /** Disconnects a client whose unknown command `name` is part of an HTTP request; what it has not been sent yet is dropped. True when it did. */
  ends(client: Client, name: string, log: Logger, nowMs: number): boolean {
    if (client.origin !== Origin.Client || !SIGNS.has(name.toLowerCase())) return false;
    if (Math.abs(nowMs - this.#loggedMs) > LOG_EVERY_MS) {
      this.#loggedMs = nowMs;
      log.warning(
        "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. " +
          "This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis instance. " +
          `Connection from ${client.link.address} aborted.`,
      );
    }
    client.link.close();
    return true;
  }
}
