/** The child process that has a conversation with another server for its parent (exchange.ts). */
import { Target } from "../commands/generic/migrate-target.ts";
import type { Exchange } from "../engine/peer.ts";
import { SocketDialer } from "./dial.ts";
import type { ChildOrder } from "./exchange-order.ts";

const LF = 10;

/** What has come of the exchange that standard input asks for, as JSON. */
export async function runExchangeChild(): Promise<string> {
  const input = new Uint8Array(await Bun.stdin.arrayBuffer());
  const end = input.indexOf(LF);
  const { host, port, tls, lines, timeoutMs } = JSON.parse(
    Buffer.from(input.buffer, input.byteOffset, end).toString(),
  ) as ChildOrder;
  const dialer = new SocketDialer({
    tlsOptions: () => (tls === null ? { error: "not asked for" } : { options: tls }),
    startTurn: () => {},
  });
  const exchange = await new Promise<Exchange>((done) => {
    const target = new Target(dialer, host, port, tls !== null, () => {});
    target.exchange([input.subarray(end + 1)], lines, timeoutMs, done);
  });
  return JSON.stringify(exchange);
}
