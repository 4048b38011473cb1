/** The commands of replication. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { FAILOVER_COMMANDS } from "./failover.ts";
import { PSYNC_COMMANDS } from "./psync.ts";
import { REPLCONF_COMMANDS } from "./replconf.ts";
import { REPLICAOF_COMMANDS } from "./replicaof.ts";
import { ROLE_COMMANDS } from "./role.ts";
import { WAIT_COMMANDS } from "./wait.ts";

export const REPLICATION_COMMANDS: readonly CommandLiteral[] = [
  ...FAILOVER_COMMANDS,
  ...PSYNC_COMMANDS,
  ...REPLCONF_COMMANDS,
  ...REPLICAOF_COMMANDS,
  ...ROLE_COMMANDS,
  ...WAIT_COMMANDS,
];
