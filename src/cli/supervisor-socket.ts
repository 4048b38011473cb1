/** One datagram to a unix socket, which the runtime cannot send: through the C library of Linux. */

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
const PATH_BYTES_MAX = 107;

/** The C library's file name: glibc's, then musl's. */
const LIBRARIES = ["libc.so.6", process.arch === "arm64" ? "libc.musl-aarch64.so.1" : "libc.musl-x86_64.so.1"];

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
  const ffi = require("bun:ffi") as typeof import("bun:ffi");
  for (const library of LIBRARIES) {
    try {
      const { symbols } = ffi.dlopen(library, {
        socket: { args: ["i32", "i32", "i32"], returns: "i32" },
        sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
        close: { args: ["i32"], returns: "i32" },
      });
      const fd = symbols.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
      if (fd < 0) return false;
      const sent = Number(symbols.sendto(fd, text, text.length, 0, address, 2 + name.length));
      symbols.close(fd);
      return sent === text.length;
    } catch {
      // The next name may be there.
    }
  }
  return false;
}
