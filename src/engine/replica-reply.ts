/** A replica gets a stream and no replies: one that would stand in the middle of the stream is logged, and the replica disconnected. */
import { latin1 } from "../base/bytes.ts";
import type { Logger } from "../base/log.ts";
import type { Config } from "../config/config.ts";
import type { ReplyWriter } from "../resp/writer.ts";
import type { Client } from "./client/client.ts";

const MINUS = 45;
const SHOWN_MAX = 4096;

/** Takes back what has been written to `reply` since `start` for a command of a replica. */
export function dropReplyToReplica(
  engine: { readonly log: Logger; readonly config: Config },
  client: Client,
  reply: ReplyWriter,
  start: number,
): void {
  if (reply.pos === start) return;
  const { log, config } = engine;
  const command = client.lastCommand?.fullName ?? "<unknown>";
  if (reply.buf[start] === MINUS) {
    const text = latin1(reply.buf, start + 1, Math.min(reply.pos - start - 3, SHOWN_MAX));
    log.warning(
      `== CRITICAL == This ${config.personality.primaryWord} is sending an error to its replica: '${text}' after processing the command '${command}'`,
    );
  }
  reply.pos = start;
  log.warning(
    `Replica generated a reply to command '${command}', disconnecting it: id=${client.id} addr=${client.link.address}`,
  );
  client.link.close();
}
