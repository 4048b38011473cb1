/** The hash commands, all of them. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { HASH_COUNTER_COMMANDS } from "./counter.ts";
import { HASH_EXCHANGE_COMMANDS } from "./exchange.ts";
import { HASH_EXPIRE_COMMANDS } from "./expire.ts";
import { HASH_READ_COMMANDS } from "./read.ts";
import { HASH_SAMPLE_COMMANDS } from "./sample.ts";
import { HASH_WRITE_COMMANDS } from "./write.ts";

export const HASH_COMMANDS: readonly CommandLiteral[] = [
  ...HASH_WRITE_COMMANDS,
  ...HASH_COUNTER_COMMANDS,
  ...HASH_READ_COMMANDS,
  ...HASH_SAMPLE_COMMANDS,
  ...HASH_EXPIRE_COMMANDS,
  ...HASH_EXCHANGE_COMMANDS,
];
