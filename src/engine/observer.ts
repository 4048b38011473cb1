/** Who wants to see the effects of commands: bits of Engine.observed. While it is 0, handlers' reports are only counted. */
export const Observer = {
  Watch: 1 << 0,
  Notify: 1 << 1,
  Tracking: 1 << 2,
  Blocked: 1 << 3,
} as const;

/** Server states that execute() looks at before a command: bits of Engine.gate. */
export const ServerGate = {
  Monitors: 1 << 0,
  Loading: 1 << 1,
  MaxMemory: 1 << 2,
  Paused: 1 << 3,
  Busy: 1 << 4,
  DiskError: 1 << 5,
  Replica: 1 << 6,
  MinReplicas: 1 << 7,
  Cluster: 1 << 8,
  /** Another data set is loaded beside the present one, which is served. */
  LoadingAside: 1 << 9,
  /** A replica without its primary, which may not answer from old data. */
  Stale: 1 << 10,
  ClientMemory: 1 << 11,
} as const;
