/** All commands of streams. */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { STREAM_CLAIM_COMMANDS } from "./claim.ts";
import { STREAM_DELETE_COMMANDS } from "./delete.ts";
import { STREAM_GROUP_COMMANDS } from "./group.ts";
import { STREAM_INFO_COMMANDS } from "./info.ts";
import { STREAM_PENDING_COMMANDS } from "./pending.ts";
import { STREAM_RANGE_COMMANDS } from "./range.ts";
import { STREAM_READ_COMMANDS } from "./read.ts";
import { STREAM_WRITE_COMMANDS } from "./write.ts";

export const STREAM_COMMANDS: readonly CommandLiteral[] = [
  ...STREAM_WRITE_COMMANDS,
  ...STREAM_RANGE_COMMANDS,
  ...STREAM_READ_COMMANDS,
  ...STREAM_GROUP_COMMANDS,
  ...STREAM_PENDING_COMMANDS,
  ...STREAM_CLAIM_COMMANDS,
  ...STREAM_DELETE_COMMANDS,
  ...STREAM_INFO_COMMANDS,
];
