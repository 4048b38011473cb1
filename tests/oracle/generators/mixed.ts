// Commands of all data types on the same keys: what each answers about values of other types, and what becomes of keys that change their type.

import type { Draw } from "../draw.ts";
import type { Agreement, Command, Generator, KnownDifference } from "../generator.ts";
import { generator as bitmap } from "./bitmap.ts";
import { generator as generic } from "./generic.ts";
import { generator as geo } from "./geo.ts";
import { generator as hash } from "./hash.ts";
import { generator as hyperloglog } from "./hyperloglog.ts";
import { generator as list } from "./list.ts";
import { generator as set } from "./set.ts";
import { generator as stream } from "./stream.ts";
import { generator as strings } from "./strings.ts";
import { generator as zset } from "./zset.ts";

/** Without SORT: redis-server takes a number that another command found out of range for one of its own, and fails. */
const FAMILIES: readonly Generator[] = [bitmap, generic, geo, hash, hyperloglog, list, set, stream, strings, zset];

/** What replies of a command may look like, by command: the looser of two rules is the one of the family that has the command. */
const agree: Record<string, Agreement> = {};
for (const family of FAMILIES) Object.assign(agree, family.agree);

/** Differences that are meant to be, of every family. */
const known: readonly KnownDifference[] = [
  ...FAMILIES.flatMap((family) => family.known ?? []),
  {
    reason: "short lists are listpacks since 7.2",
    matches: (args, theirs, ours) =>
      args[0]?.toUpperCase() === "OBJECT" && theirs.includes("quicklist") && ours.includes("listpack"),
  },
];

export const generator: Generator = {
  family: "mixed types",
  draw(draw: Draw): Command {
    const step = draw.pick(FAMILIES).draw(draw);
    const args = "args" in step ? step.args : step;
    // Other commands damage payloads: of several elements redis-server then keeps those before the one that meets the damage.
    return args[0]?.toUpperCase() === "PFADD" ? args.slice(0, 3) : args;
  },
  agree,
  known,
  probes: () => FAMILIES.flatMap((family) => family.probes?.() ?? []),
};
