/**
 * How much output may wait for a client: client-output-buffer-limit by class of client, and a small fixed limit before authentication.
 *
 * Redis counts what is queued behind a first buffer of 16 KiB that every client has; so do we, so that the same settings close the same clients.
 */
import type { OutputBufferLimit, OutputBufferLimits } from "../config/settings/setting-special.ts";
import { type Client, ClientFlag } from "../engine/client/client.ts";
import { clientType } from "../engine/client/client-list.ts";

/** Output up to this much is in a client's first buffer and not counted. */
export const FIRST_BUFFER_BYTES = 16 * 1024;

/** Counted bytes that may wait for a client that has not authenticated. */
const UNAUTHENTICATED_BYTES = 1024;

/** A reply cannot become longer: no single buffer can. */
export const REPLY_BYTES_MAX = 2 ** 32 - 2 ** 20;

/** Bytes of waiting output that count against limits. */
export function countedOutput(waiting: number): number {
  return waiting > FIRST_BUFFER_BYTES ? waiting - FIRST_BUFFER_BYTES : 0;
}

/** The limits as they hold: a replica may have as much waiting as the backlog keeps for one that comes back, else it would never catch up. */
export function effectiveLimits(limits: OutputBufferLimits, backlogBytes: number): OutputBufferLimits {
  const { replica } = limits;
  if (replica.hard === 0 || replica.hard >= backlogBytes) return limits;
  return { ...limits, replica: { ...replica, hard: backlogBytes } };
}

/** The limits of a client's class. */
export function limitOf(limits: OutputBufferLimits, client: Client): OutputBufferLimit {
  const type = clientType(client);
  return type === "replica" || type === "pubsub" ? limits[type] : limits.normal;
}

/** At how many bytes of waiting output a client of any class may be past a limit: below it nobody needs to look closer. */
export function outputAlarm(limits: OutputBufferLimits): number {
  let alarm = REPLY_BYTES_MAX;
  for (const { hard, soft } of [limits.normal, limits.replica, limits.pubsub]) {
    if (hard > 0) alarm = Math.min(alarm, hard + FIRST_BUFFER_BYTES);
    if (soft > 0) alarm = Math.min(alarm, soft + FIRST_BUFFER_BYTES);
  }
  return alarm;
}

/** At how many bytes a reply is longer than a class of clients may get. */
export function replyLimitOf(limit: OutputBufferLimit): number {
  return limit.hard === 0 ? REPLY_BYTES_MAX : Math.min(limit.hard + FIRST_BUFFER_BYTES, REPLY_BYTES_MAX);
}

/** The same for one client. */
export function replyLimit(limits: OutputBufferLimits, client: Client): number {
  return replyLimitOf(limitOf(limits, client));
}

/** For how long a client has been past its soft limit. */
export class OutputWatch {
  /** Unix time in seconds when the soft limit was first seen passed; 0: it is not. */
  #softSince = 0;

  /** Was the soft limit passed when somebody last looked? */
  get pastSoft(): boolean {
    return this.#softSince !== 0;
  }

  /** Must a client with so many counted bytes of waiting output be closed now? To be asked whenever output was added, and now and then. */
  exceeds(limits: OutputBufferLimits, client: Client, counted: number, nowMs: number): boolean {
    if (client.has(ClientFlag.Unauthenticated) && counted > UNAUTHENTICATED_BYTES) return true;
    const { hard, soft, softSeconds } = limitOf(limits, client);
    if (hard > 0 && counted >= hard) return true;
    if (soft === 0 || counted < soft) {
      this.#softSince = 0;
      return false;
    }
    const nowSeconds = Math.floor(nowMs / 1000);
    if (this.#softSince === 0) this.#softSince = nowSeconds;
    return nowSeconds - this.#softSince > softSeconds;
  }
}
