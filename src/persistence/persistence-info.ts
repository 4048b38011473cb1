/** What INFO persistence tells of snapshots and of loading; what it tells of the append-only file stands with that. */
import type { Engine } from "../engine/engine.ts";
import type { InfoSource, InfoValue } from "../engine/statistics/info.ts";
import type { ChildSlot } from "./child/child-slot.ts";
import type { Loading } from "./loading.ts";
import type { Snapshot } from "./snapshot/snapshot.ts";
import { copiedBytes } from "./snapshot/snapshot-format.ts";

/** What is asked of Persistence. */
export interface SaveState {
  readonly saves: number;
  readonly saveFailed: boolean;
  readonly lastSaveTook: number;
  readonly currentSaveSeconds: number;
  readonly lastCopiedBytes: number;
  readonly peakCopiedBytes: number;
  readonly loadingUsedMemory: number;
  readonly lastLoad: { readonly keysLoaded: number; readonly keysExpired: number };
}

/** The fields. */
export function persistenceInfo(
  engine: Engine,
  state: SaveState,
  parts: { readonly snapshot: Snapshot; readonly slot: ChildSlot; readonly loading: Loading },
): InfoSource {
  const { snapshot, slot, loading } = parts;
  const { progress } = snapshot;
  const current = (value: number): number => (slot.isActive ? value : 0);
  return {
    fields: {
      current_cow_peak: () => current(copiedBytes(progress)),
      current_cow_size: () => current(copiedBytes(progress)),
      current_fork_perc: () =>
        (progress.keysTotal === 0 ? 0 : (current(progress.keysWritten) / progress.keysTotal) * 100).toFixed(2),
      current_save_keys_processed: () => current(progress.keysWritten),
      current_save_keys_total: () => current(progress.keysTotal),
      rdb_changes_since_last_save: () => engine.dirty,
      rdb_bgsave_in_progress: () => (slot.kind === "rdb" || slot.kind === "replicas" ? 1 : 0),
      rdb_last_bgsave_status: () => (state.saveFailed ? "err" : "ok"),
      rdb_last_bgsave_time_sec: () => state.lastSaveTook,
      rdb_current_bgsave_time_sec: () => state.currentSaveSeconds,
      rdb_saves: () => state.saves,
      rdb_last_cow_size: () => state.lastCopiedBytes,
      rdb_last_load_keys_expired: () => state.lastLoad.keysExpired,
      rdb_last_load_keys_loaded: () => state.lastLoad.keysLoaded,
      ...loadingInfo(loading, state),
      total_forks: () => slot.started,
      latest_fork_usec: () => Math.round(slot.lastStartUs),
    },
  };
}

/** Progress of a data set that loads: of a total that is known, or of the memory that it took where it came from. */
function loadingInfo(loading: Loading, state: SaveState): Readonly<Record<string, () => InfoValue>> {
  const whole = (): number => loading.totalBytes || state.loadingUsedMemory;
  const percent = (): number => {
    if (whole() === 0) return 0;
    const share = (loading.loadedBytes / whole()) * 100;
    return loading.totalBytes > 0 ? share : Math.min(share, 99.99);
  };
  const eta = (): number => {
    const elapsed = Math.floor(loading.elapsedSeconds);
    // There is not enough to go by in the first second.
    return elapsed === 0
      ? 1
      : Math.floor((elapsed * Math.max(1, whole() - loading.loadedBytes)) / (loading.loadedBytes + 1));
  };
  return {
    loading_start_time: () => loading.startSeconds,
    loading_total_bytes: () => loading.totalBytes,
    loading_rdb_used_mem: () => state.loadingUsedMemory,
    loading_loaded_bytes: () => loading.loadedBytes,
    loading_loaded_perc: () => percent().toFixed(2),
    loading_eta_seconds: eta,
  };
}
