/**
 * The numbers of the RDB format. A file is
 *
 *   "REDIS" version:4 digits, (opcode with its operands)*, [type][key][value] ..., EOF, CRC-64:8          the CRC since version 5, zeros: none
 *
 * and a DUMP payload is [type][value][version:2][CRC-64:8]. Lengths are
 *
 *   00llllll          01llllll llllllll          10000000 and 4 bytes          10000001 and 8 bytes          most significant byte first
 *   11eeeeee          no length but a string of a special form: an integer of 1, 2 or 4 bytes, or LZF
 *
 * and all other numbers are little-endian.
 */

/** How a value is written: the byte before its key, or the first byte of a payload. */
export const RdbType = {
  String: 0,
  List: 1,
  Set: 2,
  /** Scores as text. */
  Zset: 3,
  Hash: 4,
  /** Scores as doubles. */
  Zset2: 5,
  /** Values of modules, without and with marks by which they can be skipped. */
  ModulePreGa: 6,
  Module2: 7,
  HashZipmap: 9,
  ListZiplist: 10,
  SetIntset: 11,
  ZsetZiplist: 12,
  HashZiplist: 13,
  /** Nodes that are ziplists. */
  ListQuicklist: 14,
  StreamListpacks: 15,
  HashListpack: 16,
  ZsetListpack: 17,
  /** Nodes that are listpacks, or single elements. */
  ListQuicklist2: 18,
  StreamListpacks2: 19,
  SetListpack: 20,
  StreamListpacks3: 21,
  /** Hashes whose fields may expire. Up to version 79 as candidates of Redis 7.4 wrote them; from 80 on Valkey's layout. */
  HashMetadataPreGa: 22,
  HashListpackExPreGa: 23,
  HashMetadata: 24,
  HashListpackEx: 25,
} as const;

/** Names of the types, as the check tools print them. */
export const RDB_TYPE_NAMES = [
  "string",
  "list-linked",
  "set-hashtable",
  "zset-v1",
  "hash-hashtable",
  "zset-v2",
  "module-pre-release",
  "module-value",
  "",
  "hash-zipmap",
  "list-ziplist",
  "set-intset",
  "zset-ziplist",
  "hash-ziplist",
  "quicklist",
  "stream",
  "hash-listpack",
  "zset-listpack",
  "quicklist-v2",
  "stream-v2",
  "set-listpack",
  "stream-v3",
  "hash-hashtable-md-pre-release",
  "hash-listpack-md-pre-release",
  "hash-hashtable-md",
  "hash-listpack-md",
];

/** What stands in the place of a type between the keys. */
export const Opcode = {
  /** What a Valkey server that imports slots notes. */
  SlotImport: 243,
  SlotInfo: 244,
  Function2: 245,
  FunctionPreGa: 246,
  ModuleAux: 247,
  Idle: 248,
  Frequency: 249,
  Aux: 250,
  ResizeDb: 251,
  ExpireTimeMs: 252,
  ExpireTime: 253,
  SelectDb: 254,
  Eof: 255,
} as const;

/** Marks before the parts of a module's value. */
export const ModuleOpcode = { Eof: 0, Signed: 1, Unsigned: 2, Float: 3, Double: 4, String: 5 } as const;

/** Forms of a string that is not [length][bytes]: the low six bits behind 11. */
export const StringForm = { Int8: 0, Int16: 1, Int32: 2, Lzf: 3 } as const;

/** Nodes of ListQuicklist2. */
export const Container = { Plain: 1, Packed: 2 } as const;

/** The first version that ends with a checksum. */
export const CHECKSUM_VERSION = 5;
/** The first version with listpacks of sets and with the third form of streams. */
export const SET_LISTPACK_VERSION = 11;
/** The versions that Redis and Valkey share end with 11; Redis goes on up to 79, Valkey from here on. */
export const VALKEY_VERSION = 80;

/** Bytes behind the value in a DUMP payload: version and checksum. */
export const FOOTER_BYTES = 10;

/** Greatest time to live of a field that Redis accepts. */
export const FIELD_EXPIRY_MAX = 2 ** 48 - 2;

/** True for the types of values, whether they can be read or not. */
export function isValueType(type: number): boolean {
  return type <= RdbType.HashListpackEx && type !== 8;
}

/** True when a file or payload of a version can be read by one who reads versions up to `max`. */
export function isReadableVersion(version: number, max: number): boolean {
  return version >= 1 && (version <= max || (version === VALKEY_VERSION && max > SET_LISTPACK_VERSION));
}
