/** How much memory a client takes: its buffers, what it has asked for and what it holds on to. Estimates, but for the buffers; the same work gives the same numbers. */
import type { Client } from "./client.ts";

/** What a client costs without its buffers, about. */
export const CLIENT_BYTES = 1024;
/** What a watched key and a subscription cost the client that has it, about, without the name. */
const WATCHED_KEY_BYTES = 48;
const SUBSCRIPTION_BYTES = 64;

/** Bytes of a client without the command that it runs or waits for. */
export function clientBytes(client: Client): number {
  const subscriptions = client.subscriptionCount + (client.shardChannels?.size ?? 0);
  return (
    CLIENT_BYTES +
    client.link.memoryBytes() +
    client.queueBytes +
    client.watched.length * WATCHED_KEY_BYTES +
    subscriptions * SUBSCRIPTION_BYTES
  );
}
