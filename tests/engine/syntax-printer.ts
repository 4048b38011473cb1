// Prints an argument tree as a syntax line, so that tests can go round: tree -> line -> tree. Names are left out where the notation gives them.

import { type Argument, parseSyntax } from "../../src/engine/spec/syntax.ts";

/** A syntax line that parses to the tree. */
export function printSyntax(tree: readonly Argument[]): string {
  return withKeyNumbers(tree, (shown) => sequence(shown, false));
}

/** Hides key spec numbers where counting gives the same. */
function withKeyNumbers(tree: readonly Argument[], body: (shown: Argument[]) => string): string {
  const copy = structuredClone(tree) as Argument[];
  let next = 0;
  const visit = (nodes: Argument[]) => {
    for (const node of nodes) {
      if (node.type === "key") {
        const index = node.keySpecIndex;
        if (index === next) node.keySpecIndex = -1;
        next = index + 1;
      }
      visit(node.arguments);
    }
  };
  visit(copy);
  return body(copy);
}

function print(node: Argument): string {
  const once: Argument = { ...node, optional: false, multiple: false, multipleToken: false };
  let text: string;
  if (node.multiple && node.multipleToken && !node.optional) text = `${tokened(once, "<>")} ...`;
  else if (node.multiple && node.multipleToken) text = `[${tokened(once, "<>")} ...]`;
  else if (node.optional) text = optional({ ...once, multiple: node.multiple });
  else text = tokened({ ...once, multiple: node.multiple }, "");
  return text;
}

function since(node: Argument): string {
  if (node.since === null && node.deprecatedSince === null) return "";
  return `@${node.since ?? ""}${node.deprecatedSince === null ? "" : `-${node.deprecatedSince}`}`;
}

function optional(node: Argument): string {
  if (node.multiple && node.token === null && (node.type === "oneof" || node.type === "block"))
    return `${prefix(node)}[${members(node)}]${since(node)} ...`;
  if (node.token === null && (node.type === "oneof" || node.type === "block"))
    return `${prefix(node)}[${members(node)}]${since(node)}`;
  return `[${tokened(node, "")}]`;
}

function tokenText(token: string): string {
  return /^([A-Z][A-Z0-9_-]*|[=~*$+-])$/.test(token) ? token : `"${token.replace(/["\\]/g, "\\$&")}"`;
}

function tokened(node: Argument, brackets: "<>" | ""): string {
  const dots = node.multiple ? " ..." : "";
  let text: string;
  if (node.type === "pure-token" && node.token !== null) {
    const token = tokenText(node.token);
    const plain = parseSyntax(token)[0].name === node.name;
    text = plain ? `<${token}${since(node)}>` : `${node.name}=${token}${since(node)}`;
    if (plain && brackets === "") text = `${token}${since(node)}`;
    return text + dots;
  }
  if (node.type === "oneof" || node.type === "block") {
    text = `${prefix(node)}<${members(node)}>${since(node)}`;
  } else {
    text = node.name;
    if (node.type !== "string") text += `:${node.type}`;
    if (node.keySpecIndex >= 0) text += `#${node.keySpecIndex}`;
    if (node.displayText !== null) text += `(${node.displayText})`;
    text += since(node);
  }
  text += dots;
  if (node.token !== null) text = `${tokenText(node.token)} ${text}`;
  return brackets === "<>" ? `<${text}>` : text;
}

function prefix(node: Argument): string {
  return `${node.name}=`;
}

function members(node: Argument): string {
  if (node.type === "oneof") return node.arguments.map((member) => print(member)).join(" | ");
  return sequence(node.arguments, true);
}

/** `whole`: the nodes are the content of brackets. */
function sequence(nodes: readonly Argument[], whole: boolean): string {
  const parts = nodes.map((node) => print(node));
  return parts
    .map((part, i) => {
      const node = nodes[i];
      // A pure token must not take what follows; the token of the first argument must not become that of the block.
      const takes = node.type === "pure-token" && i + 1 < nodes.length;
      const leads = node.type !== "pure-token" && node.token !== null && whole && i === 0;
      return (takes || leads) && !node.optional && !part.includes("<") ? `<${part}>` : part;
    })
    .join(" ");
}
