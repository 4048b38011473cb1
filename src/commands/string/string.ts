/** The string commands, all of them. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { COMPARE_COMMANDS } from "./compare.ts";
import { COUNTER_COMMANDS } from "./counter.ts";
import { LCS_COMMANDS } from "./lcs.ts";
import { MANY_COMMANDS } from "./many.ts";
import { RANGE_COMMANDS } from "./range.ts";
import { VALUE_COMMANDS } from "./value.ts";

export const STRING_COMMANDS: readonly CommandLiteral[] = [
  ...VALUE_COMMANDS,
  ...MANY_COMMANDS,
  ...COUNTER_COMMANDS,
  ...RANGE_COMMANDS,
  ...COMPARE_COMMANDS,
  ...LCS_COMMANDS,
];
