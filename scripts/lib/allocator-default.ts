// Changes the default of an option of the memory allocator (mimalloc) inside a built Linux executable.
//
// The allocator takes its options from a table of defaults and from the environment, and a server cannot set its own environment before it
// starts. So the default in the executable's data is changed. A row of the table, little-endian, 32 bytes:
//
//     [default i64][state i32: 0, not read yet][number i32][address of the name u64][address of an older name u64, 0: none]
//
// The executables are of the kind that is loaded at fixed addresses (ET_EXEC): an address in the file is that of the running program.

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

const ELF_MAGIC = "\x7fELF";
const ROW_NAME_OFFSET = 16;
const PROGRAM_HEADERS_AT = 32;
const HEADER_SIZE_AT = 54;
const HEADER_COUNT_AT = 56;
const LOADED = 1;

/** File offset -> address of the running program, or null for bytes that are not loaded. */
function addressOf(file: Buffer, offset: number): bigint | null {
  const headers = Number(file.readBigUInt64LE(PROGRAM_HEADERS_AT));
  const headerBytes = file.readUInt16LE(HEADER_SIZE_AT);
  for (let i = 0; i < file.readUInt16LE(HEADER_COUNT_AT); i++) {
    const at = headers + i * headerBytes;
    const start = Number(file.readBigUInt64LE(at + 8));
    const size = Number(file.readBigUInt64LE(at + 32));
    if (file.readUInt32LE(at) !== LOADED || offset < start || offset >= start + size) continue;
    return file.readBigUInt64LE(at + 16) + BigInt(offset - start);
  }
  return null;
}

/** The option's row in the table: its file offset. Null unless there is exactly one whose option was not set yet. */
function findRow(file: Buffer, option: string): number | null {
  const name = file.indexOf(`\0${option}\0`, 0, "latin1") + 1;
  const address = name === 0 ? null : addressOf(file, name);
  if (address === null) return null;
  const pointer = Buffer.alloc(8);
  pointer.writeBigUInt64LE(address);
  const at = file.indexOf(pointer);
  if (at < 0 || file.indexOf(pointer, at + 1) >= 0) return null;
  const row = at - ROW_NAME_OFFSET;
  return file.readInt32LE(row + 8) === 0 ? row : null;
}

/** Sets the default of an option in the executable at `path`. False when it has no such option where it should be. */
export function setAllocatorDefault(path: string, option: string, value: number): boolean {
  const file = readFileSync(path);
  if (file.toString("latin1", 0, 4) !== ELF_MAGIC) return false;
  const row = findRow(file, option);
  if (row === null) return false;
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  const fd = openSync(path, "r+");
  try {
    return writeSync(fd, bytes, 0, bytes.length, row) === bytes.length;
  } finally {
    closeSync(fd);
  }
}
