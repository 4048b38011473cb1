// Private names of classes as ordinary ones, for the executable: `#size` becomes `$size`.
//
// A private name is a value of its own, which a class makes each time that it is read and every method finds by way of its scope. Ninety classes of a start
// take 1.2 ms less without (of 26; processor time, paired runs); commands take as long as before. That nobody else uses a private member has been
// checked by then: the compiler of types and the tests read the sources as they are.

/** The declaration of a private member. */
const DECLARATION = /^ +(?:(?:static|readonly|async|get|set) )*#(\w+)/gm;
/** Any place where a private name can stand. In a string it would follow a quote. */
const PLACE = /([.\s(!])#(\w+)/g;
/** A class at the top of a file: its name, its base, its body. */
const CLASS = /^(?:export )?(?:abstract )?class (\w+)(?:<.*?>)?(?: extends (\w+))?[^\n]*\{(?:\}|\n([\s\S]*?)^\})/gm;

function declaredNames(text: string): Set<string> {
  return new Set(Array.from(text.matchAll(DECLARATION), ([, name]) => name!));
}

/** A file's text with its private names made ordinary. */
export function ordinaryNames(text: string): string {
  const names = declaredNames(text);
  return text.replace(PLACE, (found, before: string, name: string) => (names.has(name) ? `${before}$${name}` : found));
}

/** Throws when a class and its base have a private name in common, which would become one member. */
export function refuseSharedNames(texts: Iterable<string>): void {
  const classes = new Map<string, { readonly base: string | undefined; readonly names: ReadonlySet<string> }>();
  for (const text of texts) {
    for (const [, name, base, body] of text.matchAll(CLASS))
      classes.set(name!, { base, names: declaredNames(body ?? "") });
  }
  for (const [name, { base, names }] of classes) {
    for (let above = classes.get(base ?? ""); above !== undefined; above = classes.get(above.base ?? "")) {
      const shared = [...names].filter((member) => above!.names.has(member));
      if (shared.length > 0)
        throw new Error(`${name} and a class above it both have #${shared[0]}: the executable cannot`);
    }
  }
}
