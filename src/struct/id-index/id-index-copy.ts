/** Copies of an ordered index (id-index.ts), node by node: a fiftieth of what inserting its records one by one would take. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { copyBlockWords } from "../../arena/copy-block.ts";
import { HEAD_BYTES, Head, NODE_WORDS, wordAt, wordsOf } from "./id-index-node.ts";

/** The leaf that was copied last: the next one is linked to it. */
let lastLeaf: Ref = 0;

/** A copy of an index. What its records refer to is still the original's. */
export function indexCopy(a: Arena, t: Ref): Ref {
  const copy = a.alloc(HEAD_BYTES);
  copyBlockWords(a, t, copy, HEAD_BYTES >> 2);
  const own = wordsOf(a, t);
  const h = wordAt(t);
  lastLeaf = 0;
  const root = copyNode(a, own[h + Head.Root], own[h + Head.Height], own[h + Head.Shape]);
  const w = wordsOf(a, copy);
  const at = wordAt(copy);
  let first = root;
  for (let height = w[at + Head.Height]; height > 0; height--) {
    first = wordsOf(a, first)[wordAt(first) + NODE_WORDS + (w[at + Head.Shape] & 255)];
  }
  w[at + Head.Root] = root;
  w[at + Head.First] = first;
  w[at + Head.Last] = lastLeaf;
  return copy;
}

function copyNode(a: Arena, node: Ref, height: number, shape: number): Ref {
  const keyWords = shape & 255;
  const stride = height > 0 ? keyWords + 1 : shape >>> 8;
  const count = wordsOf(a, node)[wordAt(node)];
  const copy = a.alloc(a.capacity(node));
  copyBlockWords(a, node, copy, NODE_WORDS + count * stride);
  if (height === 0) {
    const at = wordAt(copy);
    wordsOf(a, copy)[at + 1] = lastLeaf;
    wordsOf(a, copy)[at + 2] = 0;
    if (lastLeaf !== 0) wordsOf(a, lastLeaf)[wordAt(lastLeaf) + 2] = copy;
    lastLeaf = copy;
    return copy;
  }
  for (let i = 0; i < count; i++) {
    const p = NODE_WORDS + i * stride + keyWords;
    const child = copyNode(a, wordsOf(a, node)[wordAt(node) + p], height - 1, shape);
    wordsOf(a, copy)[wordAt(copy) + p] = child;
  }
  return copy;
}
