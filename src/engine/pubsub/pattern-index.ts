/**
 * Patterns by the bytes that every matching channel begins with, so that PUBLISH looks only at patterns that can match: a radix tree of those
 * literal beginnings. A walk along the channel's name meets every candidate; a candidate's literal end is compared before the glob is.
 *
 *   "news.*", "news.a?", "*x"      root: *x
 *                                  +-- "news." : news.*
 *                                      +-- "a" : news.a?
 *
 * Invariants: children have different first bytes and a label of at least one byte; a node other than the root has patterns, or at least two
 * children.
 */
import { equalBytes, latin1Bytes } from "../../base/bytes.ts";
import { globLiteralPrefixLength, globLiteralSuffixLength, globMatch } from "../../base/glob.ts";
import { Topic } from "./topic.ts";

const STAR = 42;

/** A pattern that somebody listens to. */
export class Pattern<L> extends Topic<L> {
  /** Grows with every pattern: deliveries go in order of first subscription. */
  readonly sequence: number;
  readonly prefixLength: number;
  readonly suffixLength: number;
  /** Only stars follow the prefix: whatever begins with it matches. */
  readonly isPrefix: boolean;
  node: Node<L> | null = null;

  constructor(name: string, sequence: number) {
    const bytes = latin1Bytes(name);
    super(bytes, name);
    this.sequence = sequence;
    this.prefixLength = globLiteralPrefixLength(bytes, 0, bytes.length);
    this.suffixLength = globLiteralSuffixLength(bytes, 0, bytes.length);
    let rest = this.prefixLength;
    while (rest < bytes.length && bytes[rest] === STAR) rest++;
    this.isPrefix = rest === bytes.length && rest > this.prefixLength;
  }

  /** Whether the pattern matches a name that is known to begin with its prefix. */
  matchesAfterPrefix(buf: Uint8Array, at: number, length: number): boolean {
    const { bytes, prefixLength, suffixLength } = this;
    if (prefixLength === bytes.length) return length === prefixLength;
    // A quirk: "*" does not match the empty name.
    if (this.isPrefix) return length > 0;
    if (length < prefixLength + suffixLength) return false;
    if (!equalBytes(bytes, bytes.length - suffixLength, buf, at + length - suffixLength, suffixLength)) return false;
    return globMatch(bytes, 0, bytes.length, buf, at, length, false);
  }
}

/** A place in the tree: the bytes that lead to it from its parent, and the patterns whose prefix ends here. */
interface Node<L> {
  parent: Node<L> | null;
  label: Uint8Array;
  readonly children: Map<number, Node<L>>;
  readonly patterns: Pattern<L>[];
}

function newNode<L>(parent: Node<L> | null, label: Uint8Array): Node<L> {
  return { parent, label, children: new Map(), patterns: [] };
}

export class PatternIndex<L> {
  readonly #byName = new Map<string, Pattern<L>>();
  readonly #root: Node<L> = newNode<L>(null, new Uint8Array(0));
  #sequences = 0;

  /** Number of different patterns. */
  get size(): number {
    return this.#byName.size;
  }

  /** The pattern of a name (latin1), or undefined. */
  find(name: string): Pattern<L> | undefined {
    return this.#byName.get(name);
  }

  /** Adds a pattern that is not in the index. */
  add(name: string): Pattern<L> {
    const pattern = new Pattern<L>(name, this.#sequences++);
    this.#byName.set(name, pattern);
    const node = this.#nodeFor(pattern.bytes, pattern.prefixLength);
    node.patterns.push(pattern);
    pattern.node = node;
    return pattern;
  }

  /** The node at which a prefix ends; made when there is none. */
  #nodeFor(prefix: Uint8Array, length: number): Node<L> {
    let node = this.#root;
    let depth = 0;
    while (depth < length) {
      const child = node.children.get(prefix[depth]);
      if (child === undefined) {
        const leaf = newNode<L>(node, prefix.slice(depth, length));
        node.children.set(prefix[depth], leaf);
        return leaf;
      }
      const shared = sharedLength(child.label, prefix, depth, length);
      depth += shared;
      node = shared === child.label.length ? child : split(child, shared);
    }
    return node;
  }

  /** Takes a pattern of the index out. */
  remove(pattern: Pattern<L>): void {
    const { node } = pattern;
    if (node === null) return;
    this.#byName.delete(pattern.name);
    pattern.node = null;
    node.patterns.splice(node.patterns.indexOf(pattern), 1);
    prune(node);
  }

  /** Appends the patterns that match a name to `out`, in order of sequence; returns how many. */
  match(buf: Uint8Array, at: number, length: number, out: Pattern<L>[]): number {
    const before = out.length;
    let node = this.#root;
    let depth = 0;
    for (;;) {
      for (let i = 0; i < node.patterns.length; i++) {
        if (node.patterns[i].matchesAfterPrefix(buf, at, length)) out.push(node.patterns[i]);
      }
      const child = depth < length ? node.children.get(buf[at + depth]) : undefined;
      if (child === undefined || depth + child.label.length > length) break;
      if (!equalBytes(child.label, 0, buf, at + depth, child.label.length)) break;
      depth += child.label.length;
      node = child;
    }
    const count = out.length - before;
    if (count > 1) out.sort(bySequence);
    return count;
  }

  /** Walks the tree and throws when an invariant does not hold. */
  check(): void {
    let found = 0;
    const visit = (node: Node<L>): void => {
      found += node.patterns.length;
      if (node !== this.#root && node.patterns.length === 0 && node.children.size < 2)
        throw new Error("a useless node");
      for (const pattern of node.patterns) if (pattern.node !== node) throw new Error("a pattern in another's node");
      for (const [byte, child] of node.children) {
        if (child.label.length === 0 || child.label[0] !== byte || child.parent !== node)
          throw new Error("a wrong child");
        visit(child);
      }
    };
    visit(this.#root);
    if (found !== this.#byName.size) throw new Error(`${found} patterns in the tree, ${this.#byName.size} names`);
  }
}

function bySequence<L>(a: Pattern<L>, b: Pattern<L>): number {
  return a.sequence - b.sequence;
}

/** How many bytes of `label` agree with `prefix` from `depth` on. */
function sharedLength(label: Uint8Array, prefix: Uint8Array, depth: number, length: number): number {
  const end = Math.min(label.length, length - depth);
  let i = 0;
  while (i < end && label[i] === prefix[depth + i]) i++;
  return i;
}

/** Puts a node into the edge that leads to `child`, behind the first `at` bytes of its label. */
function split<L>(child: Node<L>, at: number): Node<L> {
  const parent = child.parent as Node<L>;
  const middle = newNode(parent, child.label.slice(0, at));
  parent.children.set(middle.label[0], middle);
  child.label = child.label.slice(at);
  child.parent = middle;
  middle.children.set(child.label[0], child);
  return middle;
}

/** Removes a node that has become useless, and its parent when that becomes useless with it. */
function prune<L>(node: Node<L>): void {
  const { parent } = node;
  if (parent === null || node.patterns.length > 0 || node.children.size > 1) return;
  if (node.children.size === 0) {
    parent.children.delete(node.label[0]);
    prune(parent);
    return;
  }
  const [child] = node.children.values();
  const label = new Uint8Array(node.label.length + child.label.length);
  label.set(node.label);
  label.set(child.label, node.label.length);
  child.label = label;
  child.parent = parent;
  parent.children.set(label[0], child);
}
