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

/** The reader of each RDB type, by its number. Types without one cannot be read. */
export function typeReaders(arena: Arena, limits: ReadingLimits): readonly (TypeReader | undefined)[] {
  const rows: readonly (readonly [TypeReader, readonly number[]])[] = [
    [new StringReader(arena), [RdbType.String]],
    [new ListReader(arena, limits), [RdbType.List, RdbType.ListZiplist, RdbType.ListQuicklist, RdbType.ListQuicklist2]],
    [new SetReader(arena, limits), [RdbType.Set, RdbType.SetIntset, RdbType.SetListpack]],
    [new ZsetReader(arena, limits), [RdbType.Zset, RdbType.Zset2, RdbType.ZsetZiplist, RdbType.ZsetListpack]],
    [
      new HashReader(arena, limits),
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
    [new StreamReader(arena, limits), [RdbType.StreamListpacks, RdbType.StreamListpacks2, RdbType.StreamListpacks3]],
  ];
  const readers: (TypeReader | undefined)[] = [];
  for (const [reader, types] of rows) for (const type of types) readers[type] = reader;
  return readers;
}
