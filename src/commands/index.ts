/** Every command of the server, by family. Static imports: a compiled binary has no folder to scan. */
import type { CommandLiteral } from "../engine/spec.ts";
import { AUTHENTICATION_COMMANDS } from "./connection/authentication.ts";
import { CLIENT_COMMANDS } from "./connection/client.ts";
import { CONNECTION_COMMANDS } from "./connection/connection.ts";
import { PUBSUB_INTROSPECTION_COMMANDS } from "./pubsub/introspection.ts";
import { PUBSUB_COMMANDS } from "./pubsub/pubsub.ts";
import { COMMAND_COMMANDS } from "./server/command.ts";
import { CONFIG_COMMANDS } from "./server/config.ts";
import { INFO_COMMANDS } from "./server/info.ts";
import { LATENCY_COMMANDS } from "./server/latency.ts";
import { LOLWUT_COMMANDS } from "./server/lolwut.ts";
import { MONITOR_COMMANDS } from "./server/monitor.ts";
import { SHUTDOWN_COMMANDS } from "./server/shutdown.ts";
import { SLOWLOG_COMMANDS } from "./server/slowlog.ts";
import { TIME_COMMANDS } from "./server/time.ts";
import { STRING_COMMANDS } from "./string/string.ts";
import { TRANSACTION_COMMANDS } from "./transactions/transactions.ts";

export const COMMANDS: readonly CommandLiteral[] = [
  ...AUTHENTICATION_COMMANDS,
  ...CLIENT_COMMANDS,
  ...CONFIG_COMMANDS,
  ...CONNECTION_COMMANDS,
  ...COMMAND_COMMANDS,
  ...INFO_COMMANDS,
  ...LATENCY_COMMANDS,
  ...LOLWUT_COMMANDS,
  ...MONITOR_COMMANDS,
  ...PUBSUB_COMMANDS,
  ...PUBSUB_INTROSPECTION_COMMANDS,
  ...SHUTDOWN_COMMANDS,
  ...SLOWLOG_COMMANDS,
  ...STRING_COMMANDS,
  ...TIME_COMMANDS,
  ...TRANSACTION_COMMANDS,
];
