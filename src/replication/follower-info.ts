/** What INFO tells of a replica's link to its primary. */
import type { Engine } from "../engine/engine.ts";
import type { ServerAddress } from "../engine/replication-port.ts";
import type { InfoValue } from "../engine/statistics/info.ts";
import type { Transfer, TransferForm } from "./transfer.ts";

/** A replica's link as INFO sees it. */
export interface FollowerView {
  readonly primary: ServerAddress;
  readonly isConnected: boolean;
  readonly isSyncing: boolean;
  readonly transfer: Transfer | null;
  readonly transferForm: TransferForm | null;
  /** Bytes of the stream that have come, and that have been applied; -1: not known. */
  readonly readOffset: number;
  readonly appliedOffset: number;
  /** Unix time in ms when the primary was last heard of: in the stream (-1: there is none), in a full sync. */
  readonly lastIoMs: number;
  readonly transferIoMs: number;
  /** Unix time in seconds since when there is no link; 0: there is, or never was. */
  readonly downSinceSeconds: number;
}

/** Writes the lines of INFO replication that only a replica has. */
export function followerInfo(
  engine: Engine,
  follower: FollowerView,
  line: (field: string, value: InfoValue) => void,
): void {
  const { values } = engine.config;
  const nowMs = engine.clock.nowMs();
  const { primary, isConnected, isSyncing, transfer, transferForm } = follower;
  line("master_host", primary.host);
  line("master_port", primary.port);
  line("master_link_status", isConnected ? "up" : "down");
  line("master_last_io_seconds_ago", isConnected ? secondsSince(follower.lastIoMs, nowMs) : -1);
  line("master_sync_in_progress", Number(isSyncing));
  line("slave_read_repl_offset", Math.max(0, follower.readOffset));
  line("slave_repl_offset", Math.max(0, follower.appliedOffset));
  if (isSyncing) {
    // As long as the size is unknown, it counts as nothing, and the rest as less than that.
    const total = Math.max(0, transferForm?.length ?? 0);
    const read = transfer?.readBytes ?? 0;
    line("master_sync_total_bytes", total);
    line("master_sync_read_bytes", read);
    line("master_sync_left_bytes", total - read);
    line("master_sync_perc", total === 0 ? "0.00" : ((read / total) * 100).toFixed(2));
    line("master_sync_last_io_seconds_ago", secondsSince(follower.transferIoMs, nowMs));
  }
  if (!isConnected)
    line(
      "master_link_down_since_seconds",
      follower.downSinceSeconds === 0 ? -1 : Math.floor(nowMs / 1000) - follower.downSinceSeconds,
    );
  line("slave_priority", values.replicaPriority);
  line("slave_read_only", Number(values.replicaReadOnly));
  line("replica_announced", Number(values.replicaAnnounced));
}

function secondsSince(pastMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - pastMs) / 1000));
}
