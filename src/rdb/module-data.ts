/**
 * What modules write: [id] and then parts, each behind a mark that says what it is, up to an end mark. Without the module it can be passed over, no more.
 */
import { ModuleOpcode } from "./format.ts";
import { type RdbInput, StringSlot } from "./input.ts";

const NAME_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NAME_LENGTH = 9;
/** Bits of an id below the name: the version of what follows. */
const VERSION_BITS = 10n;

const slot = new StringSlot();

/** Reads an id, and makes a name of it: nine characters of six bits each. */
export function moduleName(input: RdbInput): string {
  input.length64();
  let rest = ((BigInt(input.high >>> 0) << 32n) | BigInt(input.low >>> 0)) >> VERSION_BITS;
  let name = "";
  for (let i = 0; i < NAME_LENGTH; i++) {
    name = NAME_CHARACTERS[Number(rest & 63n)] + name;
    rest >>= 6n;
  }
  return name;
}

/** Passes over a part; true when it was the end mark. */
export function skipModulePart(input: RdbInput, name: string): boolean {
  const mark = input.length();
  switch (mark) {
    case ModuleOpcode.Eof:
      return true;
    case ModuleOpcode.Signed:
    case ModuleOpcode.Unsigned:
      input.length64();
      return false;
    case ModuleOpcode.Float:
      input.int32();
      return false;
    case ModuleOpcode.Double:
      input.double();
      return false;
    case ModuleOpcode.String:
      input.string(slot);
      return false;
    default:
      throw input.corrupt(`Unknown mark ${mark} in the data of module ${name}`);
  }
}
