/** Commands that show what the server does and what it takes. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { LATENCY_COMMANDS } from "./latency.ts";
import { LOLWUT_COMMANDS } from "./lolwut.ts";
import { MEMORY_COMMANDS } from "./memory.ts";
import { MONITOR_COMMANDS } from "./monitor.ts";
import { SLOWLOG_COMMANDS } from "./slowlog.ts";
import { TIME_COMMANDS } from "./time.ts";

export const DIAGNOSTIC_COMMANDS: readonly CommandLiteral[] = [
  ...LATENCY_COMMANDS,
  ...LOLWUT_COMMANDS,
  ...MEMORY_COMMANDS,
  ...MONITOR_COMMANDS,
  ...SLOWLOG_COMMANDS,
  ...TIME_COMMANDS,
];
