/** Settings of what the server records about itself and tells others. */

import { row } from "./setting.ts";
import { int, LONG_MAX, uint } from "./setting-number.ts";
import { notifyFlags, percentiles } from "./setting-special.ts";
import { bool } from "./setting-types.ts";

/** Makes the rows. */
export const observabilitySettings = () => ({
  "slowlog-log-slower-than": row(
    int(10000, -1, LONG_MAX),
    "Microseconds from which on a command is put into the slow log; 0 is every command, -1 none.",
  ),
  "slowlog-max-len": row(uint(128, 0, LONG_MAX), "Entries that the slow log keeps."),
  "latency-monitor-threshold": row(
    int(0, 0, LONG_MAX),
    "Milliseconds from which on an event is a latency spike; 0 is off.",
  ),
  "latency-tracking": row(bool(true), "Keep a latency histogram of every command."),
  "latency-tracking-info-percentiles": row(percentiles([50, 99, 99.9]), "Percentiles that INFO latencystats shows."),
  "notify-keyspace-events": row(notifyFlags(), "Classes of events that are published for keys."),
});
