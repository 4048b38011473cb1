/**
 * Length of the kernel's queue of connections that wait to be accepted. The runtime listens with a length of its own; another one is set by calling the
 * system's listen() again on the socket, which is allowed and changes nothing else.
 */
import { openLibrary } from "../base/c-library.ts";
import { readSmallText } from "../base/small-file.ts";

/** What the runtime asks for; the default of tcp-backlog is close enough to it. */
const RUNTIME_BACKLOG = 512;
const DEFAULT_BACKLOG = 511;

/** Sets the backlog of a listening socket where the platform allows it. */
export function setBacklog(listener: unknown, backlog: number): void {
  if (backlog === DEFAULT_BACKLOG || backlog === RUNTIME_BACKLOG) return;
  const fd = descriptorOf(listener);
  if (fd < 0) return;
  const library = openLibrary({ listen: { args: ["i32", "i32"], returns: "i32" } });
  if (library === null) return;
  library.symbols.listen(fd, backlog);
  library.close();
}

/** File descriptor of a socket or listening socket of the runtime, or -1. */
export function descriptorOf(socket: unknown): number {
  if (typeof socket !== "object" || socket === null || !("fd" in socket)) return -1;
  return typeof socket.fd === "number" ? socket.fd : -1;
}

/** A warning for the log when the kernel will not grant the backlog, or null. */
export function backlogWarning(backlog: number): string | null {
  if (process.platform !== "linux") return null;
  let granted: number;
  try {
    granted = Number.parseInt(readSmallText("/proc/sys/net/core/somaxconn"), 10);
  } catch {
    return null;
  }
  if (!(granted > 0 && granted < backlog)) return null;
  return (
    `WARNING: The TCP backlog setting of ${backlog} cannot be enforced because ` +
    `/proc/sys/net/core/somaxconn is set to the lower value of ${granted}.`
  );
}
