// CLIENT and QUIT over sockets: what pipelining, held-back input and closing have to do with them.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { encodeCommand, type RespClient } from "../support/client.ts";
import type { RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer(["--compat", "valkey"]);
});
afterAll(async () => {
  await server?.stop();
});

async function withClients(count: number, body: (clients: RespClient[]) => Promise<void>): Promise<void> {
  const clients: RespClient[] = [];
  try {
    for (let i = 0; i < count; i++) clients.push(await server.connect());
    await body(clients);
  } finally {
    for (const client of clients) client.close();
  }
}

function send(client: RespClient, ...commands: string[]): void {
  client.write(Buffer.concat(commands.map((command) => encodeCommand(command.split(" ")))));
}

/** Waits until so many clients are paused. */
async function untilBlocked(client: RespClient, count: number): Promise<void> {
  for (;;) {
    const info = String(await client.must("INFO", "clients"));
    if (info.includes(`blocked_clients:${count}\r\n`)) return;
    await Bun.sleep(2);
  }
}

async function field(client: RespClient, name: string): Promise<number> {
  const line = String(await client.must("CLIENT", "INFO"));
  return Number(new RegExp(` ${name}=(\\d+)`).exec(line)?.[1]);
}

test("a paused pipeline goes on where it stopped, in order", async () => {
  await withClients(3, async ([me, a, b]) => {
    await me.must("DEL", "p");
    await me.must("CLIENT", "PAUSE", "60000", "WRITE");
    send(a, "PING one", "APPEND p a", "GET p", "PING two", "APPEND p c");
    expect(await a.readReply()).toBe("one");
    await untilBlocked(me, 1);
    send(b, "APPEND p b", "PING three");
    await untilBlocked(me, 2);
    // What comes later is held back too.
    send(a, "GET p");
    expect(await me.must("GET", "p")).toBeNull();
    await me.must("CLIENT", "UNPAUSE");
    const replies = [await a.readReply(), await a.readReply(), await a.readReply(), await a.readReply()];
    expect(replies).toEqual([1, "a", "two", 2]);
    expect(await a.readReply()).toBe("ac");
    expect([await b.readReply(), await b.readReply()]).toEqual([3, "three"]);
  });
});

test("a transaction that writes is paused as a whole, one that reads is not", async () => {
  await withClients(3, async ([me, writer, reader]) => {
    await me.must("SET", "t", "0");
    await writer.pipeline([["MULTI"], ["INCR", "t"], ["GET", "t"]]);
    await reader.pipeline([["MULTI"], ["GET", "t"]]);
    await me.must("CLIENT", "PAUSE", "60000", "WRITE");
    send(writer, "EXEC");
    await untilBlocked(me, 1);
    expect(await reader.must("EXEC")).toEqual(["0"]);
    await me.must("CLIENT", "UNPAUSE");
    expect(await writer.readReply()).toEqual([1, "1"]);
  });
});

test("a pause ends by itself", async () => {
  await withClients(2, async ([me, a]) => {
    await me.must("CLIENT", "PAUSE", "50", "ALL");
    expect(await a.must("PING")).toBe("PONG");
    expect(await me.must("PING")).toBe("PONG");
  });
});

test("replies are muted exactly where a pipeline says so", async () => {
  await withClients(1, async ([client]) => {
    send(client, "PING 1", "CLIENT REPLY SKIP", "PING 2", "PING 3", "CLIENT REPLY OFF", "PING 4", "NOSUCH", "SET m 5");
    send(client, "CLIENT REPLY ON", "GET m");
    const replies: unknown[] = [];
    for (let i = 0; i < 4; i++) replies.push(await client.readReply());
    expect(replies).toEqual(["1", "3", "OK", "5"]);
    expect(client.unread).toBe("");
  });
});

test("nothing behind QUIT is run", async () => {
  await withClients(2, async ([me, client]) => {
    await me.must("DEL", "q");
    send(client, "PING 1", "QUIT", "SET q 1", "PING 2");
    expect(await client.readToEnd()).toBe("$1\r\n1\r\n+OK\r\n");
    expect(await me.must("EXISTS", "q")).toBe(0);
  });
});

test("a client that kills itself gets its reply first, one that is killed gets nothing more", async () => {
  await withClients(3, async ([me, suicide, victim]) => {
    await me.must("DEL", "q");
    const id = String(await suicide.must("CLIENT", "ID"));
    send(suicide, `CLIENT KILL ID ${id} SKIPME no`, "SET q 1");
    expect(await suicide.readToEnd()).toBe(":1\r\n");
    expect(await me.must("EXISTS", "q")).toBe(0);
    const other = String(await victim.must("CLIENT", "ID"));
    expect(await me.must("CLIENT", "KILL", "ID", other)).toBe(1);
    expect(await victim.readToEnd()).toBe("");
    expect(String(await me.must("CLIENT", "LIST"))).not.toContain(`id=${other} `);
  });
});

test("totals count the bytes of both directions and the commands", async () => {
  await withClients(1, async ([client]) => {
    const received = await field(client, "tot-net-in");
    const commands = await field(client, "tot-cmds");
    // Between them: CLIENT INFO twice, of 26 bytes, and a PING of 14.
    await client.must("PING");
    expect(await field(client, "tot-net-in")).toBe(received + 26 + 14 + 26);
    expect(await field(client, "tot-cmds")).toBe(commands + 3);
    const sent = await field(client, "tot-net-out");
    expect(await client.must("PING", "x".repeat(1000))).toBe("x".repeat(1000));
    expect((await field(client, "tot-net-out")) - sent).toBeGreaterThan(1300);
  });
});
