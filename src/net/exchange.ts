/**
 * Asks another server something while this one stands still, for a MIGRATE within a transaction: sockets of the runtime are served by its event loop alone, so that
 * another process, the same program in a mode of its own (exchange-child.ts), has the conversation, and this one waits for its end.
 */
import type { Exchange, ExchangeOrder } from "../engine/peer.ts";
import { type ChildOrder, EXCHANGE_CHILD_ARGUMENT } from "./exchange-order.ts";
import type { TlsOptionsResult } from "./tls-options.ts";

/** Returns when the child has ended. */
export function exchangeInChild(order: ExchangeOrder, tls: TlsOptionsResult | null): Exchange {
  if (tls !== null && "error" in tls) return { lines: [], problem: "connecting" };
  const { host, port, lines, timeoutMs, bytes } = order;
  const child: ChildOrder = { host, port, lines, timeoutMs, tls: tls?.options ?? null };
  // In an executable the script's path leads into the executable itself.
  const script = /^(?:\/\$bunfs|[A-Z]:[/\\]~BUN)/.test(Bun.main) ? [] : [Bun.main];
  const { exitCode, stdout } = Bun.spawnSync([process.execPath, ...script, EXCHANGE_CHILD_ARGUMENT], {
    stdin: Buffer.concat([Buffer.from(`${JSON.stringify(child)}\n`), bytes]),
    stdout: "pipe",
    stderr: "inherit",
  });
  if (exitCode !== 0) return { lines: [], problem: "connecting" };
  return JSON.parse(stdout.toString()) as Exchange;
}
