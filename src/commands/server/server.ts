/** The commands about the server itself but CONFIG. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { COMMAND_COMMANDS } from "./command.ts";
import { DEBUG_COMMANDS } from "./debug.ts";
import { FLUSH_COMMANDS } from "./flush.ts";
import { INFO_COMMANDS } from "./info.ts";
import { LATENCY_COMMANDS } from "./latency.ts";
import { LOLWUT_COMMANDS } from "./lolwut.ts";
import { MEMORY_COMMANDS } from "./memory.ts";
import { MONITOR_COMMANDS } from "./monitor.ts";
import { SHUTDOWN_COMMANDS } from "./shutdown.ts";
import { SLOWLOG_COMMANDS } from "./slowlog.ts";
import { TIME_COMMANDS } from "./time.ts";

export const SERVER_COMMANDS: readonly CommandLiteral[] = [
  ...COMMAND_COMMANDS,
  ...INFO_COMMANDS,
  ...LATENCY_COMMANDS,
  ...DEBUG_COMMANDS,
  ...FLUSH_COMMANDS,
  ...LOLWUT_COMMANDS,
  ...MEMORY_COMMANDS,
  ...MONITOR_COMMANDS,
  ...SHUTDOWN_COMMANDS,
  ...SLOWLOG_COMMANDS,
  ...TIME_COMMANDS,
];
