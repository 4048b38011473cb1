/** One datagram to a unix socket, which the runtime cannot send: through the C library of Linux. */
import { openLibrary } from "../../base/c-library.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
const PATH_BYTES_MAX = 107;

/** Sends `message` to the socket at `path`; a path that begins with "@" is in the abstract name space. False when that failed. */
export function notifySocket(path: string, message: string): boolean {
  if (process.platform !== "linux") return false;
  const name = Buffer.from(path);
  if (name.length > PATH_BYTES_MAX) return false;
  // struct sockaddr_un: family, then the path, which ends with its length or a zero.
  const address = Buffer.alloc(2 + PATH_BYTES_MAX + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  if (path.startsWith("@")) address[2] = 0;
  const text = Buffer.from(message);
  const library = openLibrary({
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  });
  if (library === null) return false;
  const { symbols } = library;
  const fd = symbols.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return false;
  const sent = Number(symbols.sendto(fd, text, text.length, 0, address, 2 + name.length));
  symbols.close(fd);
  return sent === text.length;
}
