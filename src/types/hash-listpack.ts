/** Hashes in listpacks (in the making). */
import type { Arena, Ref } from "../arena/arena.ts";
import type { Prng } from "../base/prng.ts";
import type { HashWalk } from "./hash-walk.ts";
import type { ByteSpan } from "./string.ts";

export function listpackHashBytes(_a: Arena, _e: Ref): number {
  return 0;
}
export function listpackHashLength(_a: Arena, _e: Ref): number {
  return 0;
}
export function listpackHashFind(_a: Arena, _e: Ref, _f: Uint8Array, _at: number, _length: number): number {
  return 0;
}
export function listpackHashRead(_a: Arena, _e: Ref, _place: number, _span: ByteSpan): number {
  throw new Error("not yet");
}
export function listpackHashReplace(
  _a: Arena,
  _e: Ref,
  _place: number,
  _v: Uint8Array,
  _at: number,
  _length: number,
  _keepExpiry: boolean,
): void {
  throw new Error("not yet");
}
export function listpackHashAdd(
  _a: Arena,
  _e: Ref,
  _f: Uint8Array,
  _fa: number,
  _fl: number,
  _v: Uint8Array,
  _at: number,
  _length: number,
): void {
  throw new Error("not yet");
}
export function listpackHashDelete(_a: Arena, _e: Ref, _place: number): void {
  throw new Error("not yet");
}
export function listpackHashAddTimes(_a: Arena, _e: Ref): void {
  throw new Error("not yet");
}
export function listpackHashSetTime(_a: Arena, _e: Ref, _place: number, _ms: number): void {
  throw new Error("not yet");
}
export function listpackHashRandom(_a: Arena, _e: Ref, _prng: Prng, _walk: HashWalk): void {
  throw new Error("not yet");
}
export function listpackHashFree(_a: Arena, _e: Ref): void {}
export function listpackHashCopy(_a: Arena, _e: Ref): number {
  throw new Error("not yet");
}
