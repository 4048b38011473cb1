/** Walking a dict of a value's elements some buckets at a time: what the walks of hashes and sets share. */
import type { Arena, Ref } from "../arena/arena.ts";
import { PREFETCH_BLOCKS, prefetchBlocks } from "../struct/block-prefetch.ts";
import { dictScan, type RefList } from "../struct/dict/dict.ts";

export interface BucketWalk {
  root: Ref;
  /** Cursor of the next bucket, and whether the last one has been read. */
  next: number;
  ended: boolean;
  /** Elements of the current buckets. */
  readonly bucket: RefList;
  /** Keeps the loads of prefetching alive. */
  touched: number;
}

/** Reads the next buckets, and touches what is in them. */
export function readBuckets(a: Arena, walk: BucketWalk): void {
  const { bucket } = walk;
  do {
    walk.next = dictScan(a, walk.root, walk.next, bucket);
    walk.ended = walk.next === 0;
  } while (!walk.ended && bucket.count < PREFETCH_BLOCKS);
  walk.touched ^= prefetchBlocks(a, bucket);
}
