/** What used memory is made of, for INFO memory and the MEMORY command. What is counted and what is estimated stands in engine/memory.ts. */
import type { Engine } from "../../engine/engine.ts";
import type { Database } from "../../keyspace/database.ts";
import { dictHasGrown, dictIsRehashing, dictOverheadBytes, dictRehashingBytes } from "../../struct/dict/dict.ts";

/** Bytes of an empty table: each database has had one since the start. */
const EMPTY_TABLE_BYTES = 128;

/** Does a database have a table of keys that is worth telling of? An empty one that has grown once may still be large. */
export function hasTable(db: Database): boolean {
  return db.size > 0 || dictHasGrown(db.arena, db.dict);
}

/** Bytes of the table of keys. */
export function mainTableBytes(db: Database): number {
  return dictOverheadBytes(db.arena, db.dict);
}

/** Bytes of the table of keys that expire. */
export function expiresTableBytes(db: Database): number {
  return db.expires === 0 ? 0 : dictOverheadBytes(db.arena, db.expires);
}

/** Bytes of the tables of all databases that hold keys. */
export function tableBytes(engine: Engine): number {
  let bytes = 0;
  for (const db of engine.keyspace.databases) if (db.size > 0) bytes += mainTableBytes(db) + expiresTableBytes(db);
  return bytes;
}

/** Bytes of tables that are being replaced by larger or smaller ones. */
export function rehashingBytes({ keyspace }: Engine): number {
  let bytes = 0;
  for (const db of keyspace.databases) {
    bytes += dictRehashingBytes(keyspace.arena, db.dict);
    if (db.expires !== 0) bytes += dictRehashingBytes(keyspace.arena, db.expires);
  }
  return bytes;
}

/** Tables that are being replaced. */
export function rehashingTables({ keyspace }: Engine): number {
  let count = 0;
  for (const db of keyspace.databases) {
    if (dictIsRehashing(keyspace.arena, db.dict)) count++;
    if (db.expires !== 0 && dictIsRehashing(keyspace.arena, db.expires)) count++;
  }
  return count;
}

/** Bytes that are not values: the server itself, clients, tables of keys, buffers and caches. */
export function overheadBytes(engine: Engine): number {
  const { memory, keyspace } = engine;
  const tablesAtStart = keyspace.databases.filter((db) => db.size > 0).length * EMPTY_TABLE_BYTES;
  return (
    memory.startupBytes +
    memory.part("clients-normal") +
    memory.part("clients-replicas") +
    memory.part("replication-backlog") +
    memory.part("append-only-buffer") +
    memory.part("script-caches") +
    memory.part("function-caches") +
    memory.part("cluster-links") +
    tableBytes(engine) -
    tablesAtStart
  );
}

/** Bytes of the values. */
export function datasetBytes(engine: Engine): number {
  return Math.max(0, engine.memory.usedBytes - overheadBytes(engine));
}

/** Share of the values in what is used beyond the start, percent. */
export function datasetPercent(engine: Engine): number {
  return (datasetBytes(engine) * 100) / Math.max(1, engine.memory.usedBytes - engine.memory.startupBytes);
}

/** The most that was ever used, now included. */
export function peakBytes(engine: Engine): number {
  engine.memory.notePeak(engine.nowMs());
  return engine.memory.peakBytes;
}

/** Resident bytes of the process. */
export function residentBytes({ memory }: Engine): number {
  if (memory.residentBytes === 0) memory.residentBytes = process.memoryUsage.rss();
  return memory.residentBytes;
}

/** Bytes that the arena has taken for blocks, used or not, and what is used elsewhere. */
export function activeBytes({ memory, keyspace }: Engine): number {
  const { arena } = keyspace;
  return memory.usedBytes - arena.usedBytes + arena.pageBytes + arena.largeBytes;
}
