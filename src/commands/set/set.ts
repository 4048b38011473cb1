/** The set commands, all of them. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { SET_ALGEBRA_COMMANDS } from "./algebra.ts";
import { SET_READ_COMMANDS } from "./read.ts";
import { SET_SAMPLE_COMMANDS } from "./sample.ts";
import { SET_WRITE_COMMANDS } from "./write.ts";

export const SET_COMMANDS: readonly CommandLiteral[] = [
  ...SET_WRITE_COMMANDS,
  ...SET_READ_COMMANDS,
  ...SET_SAMPLE_COMMANDS,
  ...SET_ALGEBRA_COMMANDS,
];
