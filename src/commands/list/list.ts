/** The list commands, all of them. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { LIST_CHANGE_COMMANDS } from "./change.ts";
import { LIST_END_COMMANDS } from "./ends.ts";
import { LIST_MOVE_COMMANDS } from "./move.ts";
import { LIST_POP_COMMANDS } from "./pop.ts";
import { LIST_READ_COMMANDS } from "./read.ts";

export const LIST_COMMANDS: readonly CommandLiteral[] = [
  ...LIST_END_COMMANDS,
  ...LIST_READ_COMMANDS,
  ...LIST_CHANGE_COMMANDS,
  ...LIST_MOVE_COMMANDS,
  ...LIST_POP_COMMANDS,
];
