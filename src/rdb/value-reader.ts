/** The readers of all RDB types of values. */
import type { Arena } from "../arena/arena.ts";
import { RdbType } from "./format.ts";
import { HashReader } from "./hash-value.ts";
import { ListReader } from "./list-value.ts";
import { SetReader } from "./set-value.ts";
import { StreamReader } from "./stream-value.ts";
import { StringReader } from "./string-value.ts";
import type { ReadingLimits, TypeReader } from "./value.ts";
import { ZsetReader } from "./zset-value.ts";

type MakeReader = (arena: Arena, limits: ReadingLimits) => TypeReader;

const ROWS: readonly (readonly [MakeReader, readonly number[]])[] = [
  [(arena) => new StringReader(arena), [RdbType.String]],
  [
    (arena, limits) => new ListReader(arena, limits),
    [RdbType.List, RdbType.ListZiplist, RdbType.ListQuicklist, RdbType.ListQuicklist2],
  ],
  [(arena, limits) => new SetReader(arena, limits), [RdbType.Set, RdbType.SetIntset, RdbType.SetListpack]],
  [
    (arena, limits) => new ZsetReader(arena, limits),
    [RdbType.Zset, RdbType.Zset2, RdbType.ZsetZiplist, RdbType.ZsetListpack],
  ],
  [
    (arena, limits) => new HashReader(arena, limits),
    [
      RdbType.Hash,
      RdbType.HashZipmap,
      RdbType.HashZiplist,
      RdbType.HashListpack,
      RdbType.HashMetadataPreGa,
      RdbType.HashListpackExPreGa,
      RdbType.HashMetadata,
      RdbType.HashListpackEx,
    ],
  ],
  [
    (arena, limits) => new StreamReader(arena, limits),
    [RdbType.StreamListpacks, RdbType.StreamListpacks2, RdbType.StreamListpacks3],
  ],
];

/** The reader of each RDB type, by its number: for files. Types without one cannot be read. */
export function typeReaders(arena: Arena, limits: ReadingLimits): readonly (TypeReader | undefined)[] {
  const readers: (TypeReader | undefined)[] = [];
  for (const [make, types] of ROWS) {
    const reader = make(arena, limits);
    for (const type of types) readers[type] = reader;
  }
  return readers;
}

/** A reader of one RDB type: for a payload. */
export function typeReader(arena: Arena, limits: ReadingLimits, type: number): TypeReader | undefined {
  for (const [make, types] of ROWS) if (types.includes(type)) return make(arena, limits);
  return undefined;
}
