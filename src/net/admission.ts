/** Who may connect: the number of clients, protected mode, and the number of file descriptors that the system grants. */
import { readSmallText } from "../base/small-file.ts";
import type { Personality } from "../config/personality.ts";
import type { Engine } from "../engine/engine.ts";

/** Descriptors that the server needs beside its clients'. */
const RESERVED_DESCRIPTORS = 32;

/** The line of /proc/self/limits whose first number counts. */
const OPEN_FILES = "\nMax open files ";

const TOO_MANY_CLIENTS = "-ERR max number of clients reached\r\n";

/** What a client from elsewhere is told in protected mode. Redis speaks of itself by name, Valkey does not. */
function protectedModeLine(personality: Personality): string {
  const redis = personality.name === "redis";
  return (
    `-DENIED ${redis ? "Redis is running" : "Running"} in protected mode because protected mode is enabled and no password is set for the default user. ` +
    "In this mode connections are only accepted from the loopback interface. " +
    `If you want to connect from external computers${redis ? " to Redis you" : ", you"} may adopt one of the following solutions: ` +
    "1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface " +
    `by connecting ${redis ? "to Redis " : ""}from the same host the server is running, ` +
    `however MAKE SURE ${redis ? "Redis is not" : "it's not"} publicly accessible from internet if you do so. ` +
    "Use CONFIG REWRITE to make this change permanent. " +
    `2) Alternatively you can just disable the protected mode by editing the ${redis ? "Redis " : ""}configuration file, ` +
    "and setting the protected mode option to 'no', and then restarting the server. " +
    "3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. " +
    "4) Set up an authentication password for the default user. " +
    "NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.\r\n"
  );
}

/** Is it an address of this host's loopback interface? A peer that has reset its connection before it was accepted has none. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address.startsWith("127.") || address === "::1");
}

/** Why one client more is one too many, as the line to send before closing; null when there is room. */
export function refusalByCount(engine: Engine): string | null {
  return engine.clients.size >= engine.config.values.maxclients ? TOO_MANY_CLIENTS : null;
}

/** Why a client that is not of this host is refused, as the line to send before closing; null when it is not. */
export function refusalByProtectedMode(engine: Engine): string | null {
  return engine.config.values.protectedMode && engine.authentication.defaultUser.nopass
    ? protectedModeLine(engine.config.personality)
    : null;
}

/** Open files that the system grants this process, or null when it does not say. */
function descriptorLimit(): number | null {
  if (process.platform !== "linux") return null;
  try {
    const text = readSmallText("/proc/self/limits");
    const at = text.indexOf(OPEN_FILES);
    const limit = at < 0 ? Number.NaN : Number.parseInt(text.slice(at + OPEN_FILES.length), 10);
    return Number.isNaN(limit) ? null : limit;
  } catch {
    return null;
  }
}

/** How many clients the system's limit of open files leaves room for when `wanted` are wanted. */
export function clientsWithinLimit(wanted: number): number {
  const limit = descriptorLimit();
  return limit === null || limit >= wanted + RESERVED_DESCRIPTORS ? wanted : Math.max(0, limit - RESERVED_DESCRIPTORS);
}

/**
 * Lowers maxclients to what the system's limit of open files allows, and says so in the log. An error text when not even one client fits.
 */
export function adjustMaxClients(engine: Engine): string | null {
  const wanted = engine.config.values.maxclients;
  const possible = clientsWithinLimit(wanted);
  if (possible === wanted) return null;
  const files = descriptorLimit() ?? 0;
  if (possible === 0) {
    return (
      `Your current 'ulimit -n' of ${files} is not enough for the server to start. ` +
      `Please increase your open file limit to at least ${wanted + RESERVED_DESCRIPTORS}. Exiting.`
    );
  }
  engine.config.assign("maxclients", String(possible));
  engine.log.warning(
    `You requested maxclients of ${wanted} requiring at least ${wanted + RESERVED_DESCRIPTORS} max file descriptors.`,
  );
  engine.log.warning(
    `Current maximum open files is ${files}. maxclients has been reduced to ${possible} to compensate for low ulimit. ` +
      "If you need higher maxclients increase 'ulimit -n'.",
  );
  return null;
}
