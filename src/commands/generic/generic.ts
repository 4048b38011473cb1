/** The generic commands, all of them. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { DUMP_COMMANDS } from "./dump.ts";
import { EXPIRE_COMMANDS } from "./expire.ts";
import { KEY_COMMANDS } from "./keys.ts";
import { MIGRATE_COMMANDS } from "./migrate.ts";
import { OBJECT_COMMANDS } from "./object.ts";
import { RENAME_COMMANDS } from "./rename.ts";
import { SCAN_COMMANDS } from "./scan.ts";
import { SORT_COMMANDS } from "./sort.ts";

export const GENERIC_COMMANDS: readonly CommandLiteral[] = [
  ...KEY_COMMANDS,
  ...EXPIRE_COMMANDS,
  ...RENAME_COMMANDS,
  ...SCAN_COMMANDS,
  ...SORT_COMMANDS,
  ...OBJECT_COMMANDS,
  ...DUMP_COMMANDS,
  ...MIGRATE_COMMANDS,
];
