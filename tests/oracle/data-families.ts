// The families of commands that work on data: what random traffic is made of where servers, files and replicas are compared.

import type { Generator } from "./generator.ts";
import { generator as bitmap } from "./generators/bitmap.ts";
import { generator as generic } from "./generators/generic.ts";
import { generator as geo } from "./generators/geo.ts";
import { generator as hash } from "./generators/hash.ts";
import { generator as hyperloglog } from "./generators/hyperloglog.ts";
import { generator as list } from "./generators/list.ts";
import { generator as set } from "./generators/set.ts";
import { generator as sort } from "./generators/sort.ts";
import { generator as stream } from "./generators/stream.ts";
import { generator as strings } from "./generators/strings.ts";
import { generator as transactions } from "./generators/transactions.ts";
import { generator as zset } from "./generators/zset.ts";

export const DATA_FAMILIES: readonly Generator[] = [
  bitmap,
  generic,
  geo,
  hash,
  hyperloglog,
  list,
  set,
  sort,
  stream,
  strings,
  transactions,
  zset,
];
