/** Settings of snapshots and the append-only file. */

import { row, SettingFlag } from "./setting.ts";
import { INT_MAX, INT_MIN, int, memory } from "./setting-number.ts";
import { savePoints, workingDirectory } from "./setting-special.ts";
import { bool, type Check, enumeration, text } from "./setting-types.ts";

const { Immutable, Hidden, Protected, DenyLoading } = SettingFlag;

function baseName(setting: string, kind: string): Check<string> {
  return (value) => {
    if (value === "") return `${setting} can't be empty`;
    return /[/\\]/.test(value) ? `${setting} can't be a path, just a ${kind}` : null;
  };
}

/** Makes the rows. */
export const persistenceSettings = () => ({
  dir: row(workingDirectory(), "Directory of all files that are written.", { flags: Protected | DenyLoading }),
  save: row(
    savePoints([
      { seconds: 3600, changes: 1 },
      { seconds: 300, changes: 100 },
      { seconds: 60, changes: 10000 },
    ]),
    "Save after so many seconds if there were so many changes.",
  ),
  dbfilename: row(text("dump.rdb", baseName("dbfilename", "filename")), "File name of the snapshot.", {
    flags: Protected,
  }),
  rdbcompression: row(bool(true), "Compress strings in snapshots."),
  rdbchecksum: row(bool(true), "End a snapshot with a checksum, and check it when loading.", {
    flags: Immutable,
  }),
  "rdb-del-sync-files": row(bool(false), "Delete snapshots that were only made for replication."),
  "rdb-save-incremental-fsync": row(bool(true), "Sync a snapshot piece by piece while it is written."),
  "rdb-key-save-delay": row(int(0, INT_MIN, INT_MAX), "Microseconds to wait after saving a key, for tests.", {
    flags: Hidden,
  }),
  "key-load-delay": row(int(0, INT_MIN, INT_MAX), "Microseconds to wait after loading a key, for tests.", {
    flags: Hidden,
  }),
  "loading-process-events-interval-bytes": row(
    int(2 * 1024 * 1024, 1024, INT_MAX),
    "Bytes loaded between two looks at clients.",
    { flags: Hidden },
  ),
  "stop-writes-on-bgsave-error": row(bool(true), "Refuse writes while the last snapshot failed."),
  appendonly: row(bool(false), "Log every write to the append-only file.", { flags: DenyLoading }),
  appendfilename: row(
    text("appendonly.aof", baseName("appendfilename", "filename")),
    "Base name of the append-only files.",
    {
      flags: Immutable,
    },
  ),
  appenddirname: row(
    text("appendonlydir", baseName("appenddirname", "dirname")),
    "Directory of the append-only files.",
    {
      flags: Immutable,
    },
  ),
  appendfsync: row(enumeration("everysec", ["everysec", "always", "no"]), "When the append-only file is synced."),
  "no-appendfsync-on-rewrite": row(bool(false), "Do not sync the append-only file while a child process writes."),
  "auto-aof-rewrite-percentage": row(int(100), "Growth in percent that starts a rewrite; 0 never does."),
  "auto-aof-rewrite-min-size": row(memory(64 * 1024 * 1024), "Bytes below which no rewrite is started."),
  "aof-load-truncated": row(bool(true), "Load an append-only file whose last command is incomplete."),
  "aof-load-corrupt-tail-max-size": row(
    memory(0),
    "Load an append-only file whose end is damaged, if what is cut off is no longer than this; 0 never does.",
    { only: "redis" },
  ),
  "aof-use-rdb-preamble": row(bool(true), "Begin the rewritten append-only file with a snapshot."),
  "aof-timestamp-enabled": row(bool(false), "Write times into the append-only file."),
  "aof-rewrite-incremental-fsync": row(bool(true), "Sync a rewrite piece by piece while it is written."),
  "aof-disable-auto-gc": row(bool(false), "Keep append-only files that are no longer needed, for tests.", {
    flags: Hidden,
  }),
});
