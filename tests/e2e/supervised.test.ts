// The executable under a supervisor. systemd is played by a datagram socket, upstart by somebody who waits for the process to stop itself.

import { dlopen, ptr } from "bun:ffi";
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../support/process.ts";
import { binaryPath, scratchFolder, startBinary } from "./support/binary.ts";

const scratch = scratchFolder();
afterAll(() => scratch.remove());

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** A datagram socket at a path; `received` is everything that has come so far. */
function datagramSocket(path: string): { received(): string; close(): void } {
  const library = [
    "libc.so.6",
    existsSync("/lib/ld-musl-aarch64.so.1") ? "libc.musl-aarch64.so.1" : "libc.musl-x86_64.so.1",
  ].find((name) => {
    try {
      dlopen(name, { close: { args: ["i32"], returns: "i32" } }).close();
      return true;
    } catch {
      return false;
    }
  });
  const { symbols } = dlopen(library ?? "", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
    recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  });
  const fd = symbols.socket(AF_UNIX, SOCK_DGRAM, 0);
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  if (symbols.bind(fd, ptr(address), 2 + path.length) !== 0) throw new Error(`cannot bind ${path}`);
  let text = "";
  const buffer = Buffer.alloc(4096);
  return {
    received() {
      for (;;) {
        const length = Number(symbols.recv(fd, ptr(buffer), buffer.length, MSG_DONTWAIT));
        if (length <= 0) return text;
        text += buffer.toString("utf8", 0, length);
      }
    },
    close: () => symbols.close(fd),
  };
}

describe.skipIf(process.platform !== "linux")("on Linux", () => {
  test("systemd hears of the start, of readiness and of the end", async () => {
    const path = join(scratch.path, "notify");
    const systemd = datagramSocket(path);
    // A server under a supervisor stays in the foreground, whatever daemonize says.
    const server = await startBinary(["--supervised", "auto", "--daemonize", "yes"], { NOTIFY_SOCKET: path });
    await server.waitForLog("Supervised by systemd");
    server.signal("SIGTERM");
    expect(await server.exited()).toBe(0);
    expect(systemd.received()).toBe(
      "STATUS=Redis is loading...\nSTATUS=Ready to accept connections\nREADY=1\nSTOPPING=1\n",
    );
    systemd.close();
    await server.stop();
  });

  test("without a supervisor the log says so, and the server starts", async () => {
    const server = await startBinary(["--supervised", "systemd"], { NOTIFY_SOCKET: "" });
    expect(server.log()).toContain("# systemd supervision requested, but NOTIFY_SOCKET not found!");
    await server.stop();
    const other = await startBinary(["--supervised", "systemd"], { NOTIFY_SOCKET: join(scratch.path, "nobody") });
    expect(other.log()).toContain("# systemd supervision requested, but its socket takes no messages.");
    await other.stop();
  });

  test("under upstart the process stops itself once", async () => {
    const logfile = join(scratch.path, "upstart.log");
    const child = Bun.spawn(
      [binaryPath(), "--supervised", "upstart", "--port", `${freePort()}`, "--bind", "127.0.0.1", "--logfile", logfile],
      { env: { ...process.env, UPSTART_JOB: "redis" }, stdout: "ignore", stderr: "ignore" },
    );
    const state = () => readFileSync(`/proc/${child.pid}/stat`, "latin1").replace(/^.*\) /s, "")[0];
    for (let waits = 0; waits < 1000 && state() !== "T"; waits++) await Bun.sleep(10);
    expect(state()).toBe("T");
    child.kill("SIGCONT");
    const ready = () => readFileSync(logfile, "utf8").includes("Ready to accept connections");
    for (let waits = 0; waits < 1000 && !ready(); waits++) await Bun.sleep(10);
    expect(ready()).toBe(true);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  });
});
