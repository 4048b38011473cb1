/** The commands that see strings as bits. */
import { BIT_COMMANDS } from "./bit.ts";
import { BITFIELD_COMMANDS } from "./bitfield.ts";
import { BITOP_COMMANDS } from "./bitop.ts";
import { COUNT_COMMANDS } from "./count.ts";

export const BITMAP_COMMANDS = [...BIT_COMMANDS, ...COUNT_COMMANDS, ...BITOP_COMMANDS, ...BITFIELD_COMMANDS];
