/** The generic commands, without SORT and without those that carry values from server to server: DUMP, RESTORE, MIGRATE. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { EXPIRE_COMMANDS } from "./expire.ts";
import { KEY_COMMANDS } from "./keys.ts";
import { OBJECT_COMMANDS } from "./object.ts";
import { RENAME_COMMANDS } from "./rename.ts";
import { SCAN_COMMANDS } from "./scan.ts";

export const GENERIC_COMMANDS: readonly CommandLiteral[] = [
  ...KEY_COMMANDS,
  ...EXPIRE_COMMANDS,
  ...RENAME_COMMANDS,
  ...SCAN_COMMANDS,
  ...OBJECT_COMMANDS,
];
