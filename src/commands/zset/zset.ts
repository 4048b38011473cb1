/** The commands of sorted sets, all of them. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { ZSET_ALGEBRA_COMMANDS } from "./algebra.ts";
import { ZSET_POP_COMMANDS } from "./pop.ts";
import { ZSET_RANGE_COMMANDS } from "./range.ts";
import { ZSET_READ_COMMANDS } from "./read.ts";
import { ZSET_SAMPLE_COMMANDS } from "./sample.ts";
import { ZSET_WRITE_COMMANDS } from "./write.ts";

export const ZSET_COMMANDS: readonly CommandLiteral[] = [
  ...ZSET_WRITE_COMMANDS,
  ...ZSET_READ_COMMANDS,
  ...ZSET_RANGE_COMMANDS,
  ...ZSET_POP_COMMANDS,
  ...ZSET_SAMPLE_COMMANDS,
  ...ZSET_ALGEBRA_COMMANDS,
];
