// Connections of the process with itself: nobody else's are among them.

import { afterEach, expect, spyOn, test } from "bun:test";
import type { Socket } from "bun";
import type { Connection } from "../../src/net/connection.ts";
import type { EndpointHandler } from "../../src/net/listening.ts";
import { Loopback } from "../../src/net/loopback.ts";

const spies: { mockRestore(): void }[] = [];
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore();
});

interface Ends {
  readonly handler: EndpointHandler;
  opened: number;
  closed: number;
  received: string;
}

function ends(): Ends {
  const made: Ends = {
    handler: {
      open: () => {
        made.opened++;
      },
      data: (_socket, bytes) => {
        made.received += Buffer.from(bytes).toString();
      },
      close: () => {
        made.closed++;
      },
    },
    opened: 0,
    closed: 0,
    received: "",
  };
  return made;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(1);
}

test("what is sent over them is taken, and closing ends them all", async () => {
  const near = ends();
  const loopback = await Loopback.open(near.handler, 5);
  expect([near.opened, loopback.sockets.length]).toEqual([5, 5]);
  const block = new Uint8Array(10_000);
  for (let sent = 0; sent < 5_000_000; ) {
    for (const socket of loopback.sockets) sent += socket.write(block);
    await Bun.sleep(0);
  }
  loopback.close();
  await until(() => near.closed === 5);
});

test("a stranger that comes first is turned away", async () => {
  const near = ends();
  const listen = Bun.listen;
  let strangerEnded = false;
  let stranger: Promise<Socket<unknown>> | null = null;
  spies.push(
    spyOn(Bun, "listen").mockImplementation(((options: Bun.TCPSocketListenOptions<Connection>) => {
      const listener = listen(options);
      const close = (): void => {
        strangerEnded = true;
      };
      stranger = Bun.connect({ hostname: "127.0.0.1", port: listener.port, socket: { data: () => {}, close } });
      return listener;
    }) as unknown as typeof Bun.listen),
  );
  const loopback = await Loopback.open(near.handler, 3);
  const outsider = await (stranger as unknown as Promise<Socket<unknown>>);
  expect(loopback.sockets.map((socket) => socket.remotePort)).not.toContain(outsider.localPort);
  expect([near.opened, loopback.sockets.length]).toEqual([4, 3]);
  await until(() => strangerEnded);
  expect(near.closed).toBe(1);
  loopback.close();
  await until(() => near.closed === 4);
});

test("when connections cannot be opened, none stay", async () => {
  const near = ends();
  const connect = Bun.connect;
  let calls = 0;
  const refuseThird = (options: Bun.TCPSocketConnectOptions<unknown>): Promise<Socket<unknown>> =>
    ++calls === 3 ? Promise.reject(new Error("EMFILE")) : connect(options);
  spies.push(spyOn(Bun, "connect").mockImplementation(refuseThird as unknown as typeof Bun.connect));
  await expect(Loopback.open(near.handler, 3)).rejects.toThrow("EMFILE");
  expect(calls).toBe(3);
  await Bun.sleep(20);
  expect(near.opened - near.closed).toBe(0);
});
