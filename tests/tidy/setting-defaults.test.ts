// The literals that stand in the executable for the default values of settings: they are those that the sources derive.

import { expect, test } from "bun:test";
import { literalDefaults } from "../../scripts/lib/setting-defaults.ts";
import { osHost } from "../../src/config/host.ts";
import { PERSONALITIES } from "../../src/config/personality.ts";
import { defaultValues } from "../../src/config/settings/default-values.ts";

test.each(["redis", "valkey"] as const)("the default values of %s are what the executable has", (name) => {
  const text = literalDefaults().replace("export function", "return function");
  const made = new Function(text)() as typeof defaultValues;
  const host = { ...osHost, cwd: () => "/somewhere" };
  const values = made(PERSONALITIES[name], host);
  expect(values).toStrictEqual(defaultValues(PERSONALITIES[name], host));
  expect(Object.keys(values)).toEqual(Object.keys(defaultValues(PERSONALITIES[name], host)));
  expect(made(PERSONALITIES[name], host).bind).not.toBe(values.bind);
});
