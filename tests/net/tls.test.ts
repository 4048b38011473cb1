// TLS: who may connect with which certificate, how bytes pass, and CONFIG SET of the tls settings at run time.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { toBinary } from "../../src/config/binary.ts";
import { encodeCommand } from "../support/client.ts";
import { type NetServer, netServer, type Settings } from "../support/net.ts";
import { freePort } from "../support/process.ts";
import { type Certificates, makeCertificates, opensslAvailable, PASS_PHRASE } from "../support/tls/certificates.ts";

const command = (...args: (string | number)[]): string => encodeCommand(args).toString("latin1");

interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** Connects, sends, and returns what comes back until `enough` bytes have come or the connection ends. */
async function exchange(port: number, text: string, enough: number, identity: Identity | null = null): Promise<string> {
  const done = Promise.withResolvers<void>();
  const received: Buffer[] = [];
  let length = 0;
  let unsent = Buffer.from(text, "latin1");
  const flush = (socket: Bun.Socket): void => {
    const sent = socket.write(unsent);
    if (sent > 0) unsent = unsent.subarray(sent);
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    tls: {
      rejectUnauthorized: false,
      ...(identity === null
        ? {}
        : { cert: readFileSync(identity.cert, "utf8"), key: readFileSync(identity.key, "utf8") }),
    },
    socket: {
      handshake: flush,
      drain: flush,
      data(_socket, chunk) {
        received.push(chunk);
        length += chunk.length;
        if (length >= enough) done.resolve();
      },
      close: () => done.resolve(),
      error: () => done.resolve(),
      connectError: () => done.resolve(),
    },
  }).catch(() => null);
  if (socket === null) return "";
  await done.promise;
  socket.end();
  return Buffer.concat(received).toString("latin1");
}

const ping = (port: number, identity: Identity | null = null): Promise<string> =>
  exchange(port, "PING\r\n", 7, identity);

describe.skipIf(!opensslAvailable())("TLS", () => {
  let files: Certificates;
  let client: Identity;
  let stranger: Identity;
  beforeAll(() => {
    files = makeCertificates();
    client = { cert: files.clientCertificate, key: files.clientKey };
    stranger = { cert: files.strangerCertificate, key: files.strangerKey };
  });
  afterAll(() => files.remove());

  function tlsServer(settings: Settings = {}): NetServer & { readonly tlsPort: number } {
    const tlsPort = freePort();
    const server = netServer({
      settings: {
        "tls-port": String(tlsPort),
        "tls-cert-file": files.serverCertificate,
        "tls-key-file": files.serverKey,
        "tls-ca-cert-file": files.authority,
        ...settings,
      },
    });
    return { ...server, tlsPort };
  }

  test("beside TCP, or alone", async () => {
    const both = tlsServer();
    expect(both.server.kinds).toEqual(["tcp", "tls"]);
    expect(await ping(both.tlsPort, client)).toBe("+PONG\r\n");
    const plain = await both.dial();
    expect(await plain.call("PING")).toBe("PONG");
    plain.close();
    both.stop();
    const alone = tlsServer({ port: "0" });
    expect(alone.server.kinds).toEqual(["tls"]);
    expect(await ping(alone.tlsPort, client)).toBe("+PONG\r\n");
    alone.stop();
  });

  test("tls-auth-clients decides who may connect", async () => {
    const cases: [string, string, string, string][] = [
      // setting, with a certificate, without, with a stranger's
      ["yes", "+PONG\r\n", "", ""],
      ["optional", "+PONG\r\n", "+PONG\r\n", ""],
      ["no", "+PONG\r\n", "+PONG\r\n", "+PONG\r\n"],
    ];
    for (const [setting, known, none, unknown] of cases) {
      const server = tlsServer({ "tls-auth-clients": setting });
      expect([setting, await ping(server.tlsPort, client)]).toEqual([setting, known]);
      expect([setting, await ping(server.tlsPort)]).toEqual([setting, none]);
      expect([setting, await ping(server.tlsPort, stranger)]).toEqual([setting, unknown]);
      while (server.engine.clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
      server.stop();
    }
  });

  test("a key under a pass phrase", async () => {
    const server = tlsServer({ "tls-key-file": files.serverKeyLocked, "tls-key-file-pass": PASS_PHRASE });
    expect(await ping(server.tlsPort, client)).toBe("+PONG\r\n");
    server.stop();
    for (const pass of ["", "wrong"]) {
      expect(() => tlsServer({ "tls-key-file": files.serverKeyLocked, "tls-key-file-pass": pass })).toThrow(
        "Failed to configure TLS. Check logs for more info.",
      );
    }
  });

  test("authorities in a folder, whose name need not be ASCII", async () => {
    const dir = join(dirname(files.authority), "authorités");
    mkdirSync(join(dir, "folder"), { recursive: true });
    copyFileSync(files.authority, join(dir, "one.pem"));
    copyFileSync(files.serverKey, join(dir, "not-a-certificate"));
    const server = tlsServer({
      "tls-ca-cert-file": "",
      "tls-ca-cert-dir": toBinary(dir),
      "tls-key-file": toBinary(join(dir, "not-a-certificate")),
    });
    expect(await ping(server.tlsPort, client)).toBe("+PONG\r\n");
    expect(await ping(server.tlsPort, stranger)).toBe("");
    server.stop();
    rmSync(dir, { recursive: true });
  });

  test("settings that cannot work refuse to start", () => {
    const bad: Settings[] = [
      { "tls-cert-file": "" },
      { "tls-key-file": "" },
      { "tls-ca-cert-file": "" },
      { "tls-cert-file": "/nowhere/server.crt" },
      { "tls-key-file": files.clientKey },
      { "tls-cert-file": files.serverKey },
      { "tls-protocols": "SSLv3" },
      { "tls-ciphers": "NO-SUCH-CIPHER" },
    ];
    for (const settings of bad)
      expect(() => tlsServer(settings)).toThrow("Failed to configure TLS. Check logs for more info.");
  });

  test("protocol versions", async () => {
    for (const versions of ["TLSv1.2", "TLSv1.3", "TLSv1.2 TLSv1.3"]) {
      const server = tlsServer({ "tls-protocols": versions });
      expect(await ping(server.tlsPort, client)).toBe("+PONG\r\n");
      server.stop();
    }
  });

  test("long pipelines and long replies pass whole", async () => {
    const server = tlsServer();
    const value = "0123456789abcdef".repeat(200_000);
    const script = command("SET", "k", value) + command("GET", "k") + command("INCR", "n").repeat(2000);
    let expected = `+OK\r\n$${value.length}\r\n${value}\r\n`;
    for (let i = 1; i <= 2000; i++) expected += `:${i}\r\n`;
    const got = await exchange(server.tlsPort, script, expected.length, client);
    expect(got.length).toBe(expected.length);
    expect(got === expected).toBeTrue();
    while (server.engine.clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(server.server.outputMemory).toBe(0);
    server.stop();
  });

  test("what is written before closing arrives", async () => {
    const server = tlsServer();
    const script = command("ECHO", "x".repeat(1_000_000)) + command("QUIT");
    const got = await exchange(server.tlsPort, script, Number.POSITIVE_INFINITY, client);
    expect(got.length).toBe(10 + 1_000_000 + 2 + 5);
    expect(got).toEndWith("\r\n+OK\r\n");
    expect(await exchange(server.tlsPort, "*x\r\n", Number.POSITIVE_INFINITY, client)).toBe(
      "-ERR Protocol error: invalid multibulk length\r\n",
    );
    server.stop();
  });

  test("plain bytes on a TLS port are refused", async () => {
    const server = tlsServer();
    const done = Promise.withResolvers<void>();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: server.tlsPort,
      socket: { data: () => {}, close: () => done.resolve() },
    });
    socket.write("PING\r\n");
    await done.promise;
    while (server.engine.clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await ping(server.tlsPort, client)).toBe("+PONG\r\n");
    server.stop();
  });

  test("too many clients: closed without a word", async () => {
    const server = tlsServer({ maxclients: "1" });
    const first = await server.dial();
    expect(await first.call("PING")).toBe("PONG");
    expect(await ping(server.tlsPort, client)).toBe("");
    expect(server.engine.stats.rejectedConnections).toBe(1);
    first.close();
    server.stop();
  });

  test("CONFIG SET: port, certificates, and staying as it was when that fails", async () => {
    const server = netServer();
    const admin = await server.dial();
    const set = async (...args: (string | number)[]): Promise<unknown> => {
      const reply = await admin.call("CONFIG", "SET", ...args);
      return typeof reply === "object" && reply !== null && "message" in reply ? reply.message : reply;
    };
    const failed = (name: string, why: string): string =>
      `ERR CONFIG SET failed (possibly related to argument '${name}') - ${why}`;
    const tlsPort = freePort();
    expect(await set("tls-port", tlsPort)).toBe(
      failed("tls-port", "Unable to update TLS configuration. Check server logs."),
    );
    expect(await admin.call("CONFIG", "GET", "tls-port")).toEqual(["tls-port", "0"]);
    for (const name of ["tls-replication", "tls-cluster"]) {
      expect(await set(name, "yes")).toBe(failed(name, "Unable to update TLS configuration. Check server logs."));
      expect(await admin.call("CONFIG", "GET", name)).toEqual([name, "no"]);
    }
    expect(
      await set(
        "tls-cert-file",
        files.serverCertificate,
        "tls-key-file",
        files.serverKey,
        "tls-ca-cert-file",
        files.authority,
      ),
    ).toBe("OK");
    expect(await set("tls-replication", "yes")).toBe("OK");
    expect(await set("tls-port", tlsPort)).toBe("OK");
    expect(await ping(tlsPort, client)).toBe("+PONG\r\n");

    expect(await set("tls-key-file", files.clientKey)).toBe(
      failed("tls-key-file", "Unable to update TLS configuration. Check server logs."),
    );
    expect(await ping(tlsPort, client)).toBe("+PONG\r\n");
    expect(await set("tls-auth-clients", "no")).toBe("OK");
    expect(await ping(tlsPort, stranger)).toBe("+PONG\r\n");
    expect(await set("tls-auth-clients", "yes")).toBe("OK");
    expect(await ping(tlsPort, stranger)).toBe("");

    const next = freePort();
    expect(await set("tls-port", next)).toBe("OK");
    expect([await ping(next, client), await ping(tlsPort, client)]).toEqual(["+PONG\r\n", ""]);
    expect(await set("tls-port", server.port)).toBe(
      failed("tls-port", "Unable to listen on this port. Check server logs."),
    );
    expect(await ping(next, client)).toBe("+PONG\r\n");
    expect(await set("tls-port", 0)).toBe("OK");
    expect(await ping(next, client)).toBe("");
    expect(await admin.call("PING")).toBe("PONG");
    admin.close();
    server.stop();
  });
});
