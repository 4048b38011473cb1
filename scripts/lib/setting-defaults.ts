// The default values of settings as literals, for the executable: two hundred names and values that a start would derive one by one, a twentieth of its time.

import { isDeepStrictEqual } from "node:util";
import { osHost } from "../../src/config/host.ts";
import { PERSONALITIES, type PersonalityName } from "../../src/config/personality.ts";
import { defaultValues } from "../../src/config/settings/default-values.ts";

/** The file that is replaced. */
export const DEFAULTS_PATH = "src/config/settings/default-values.ts";

/** What the working directory is called while the literals are made: the one value that a start must find out. */
const FOLDER = "(the working directory)";

function literalOf(name: PersonalityName): string {
  const values = defaultValues(PERSONALITIES[name], { ...osHost, cwd: () => FOLDER });
  const folders = Object.keys(values).filter((key) => values[key] === FOLDER);
  const literal = JSON.stringify(values);
  if (folders.join() !== "dir" || !isDeepStrictEqual(JSON.parse(literal), values))
    throw new Error("a setting has a default value that cannot stand in the executable as it is");
  return literal;
}

/** The text that takes the file's place. */
export function literalDefaults(): string {
  return `/** Made by the build. */
export function defaultValues(personality, host) {
  const values = personality.name === "redis" ? ${literalOf("redis")} : ${literalOf("valkey")};
  values.dir = host.cwd();
  return values;
}
`;
}
