/** Every command of the server, by family. Static imports: a compiled binary has no folder to scan. */
import type { CommandLiteral } from "../engine/spec.ts";
import { STRING_COMMANDS } from "./string/string.ts";

export const COMMANDS: readonly CommandLiteral[] = [...STRING_COMMANDS];
