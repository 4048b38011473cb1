// Private names in the executable: what is made of them, and that nothing else in the sources is taken for one.

import { expect, test } from "bun:test";
import { ordinaryNames, refuseSharedNames } from "../../scripts/lib/ordinary-names.ts";
import { readSources } from "../../scripts/lib/start-chunk.ts";
import { sourceFile } from "../../scripts/tidy/source.ts";

test("members become ordinary ones, strings stay", () => {
  const text = `class A {
  readonly #size = 1;
  static async #load(): Promise<void> {}
  get #t(): string {
    return "#t" + \`\${this.#size}#t\` + other?.#size + (!this.#t ? "x" : "y");
  }
}
`;
  expect(ordinaryNames(text)).toBe(`class A {
  readonly $size = 1;
  static async $load(): Promise<void> {}
  get $t(): string {
    return "#t" + \`\${this.$size}#t\` + other?.$size + (!this.$t ? "x" : "y");
  }
}
`);
});

test("a class and one above it cannot share a name", () => {
  const base = "export class Base<T> {\n  #at = 0;\n}\n";
  const middle = "class Middle extends Base<number> {}\n";
  expect(() => refuseSharedNames([base, middle, "class Top extends Middle {\n  #to = 0;\n}\n"])).not.toThrow();
  expect(() => refuseSharedNames([base, middle, "class Top extends Middle {\n  #at = 0;\n}\n"])).toThrow("#at");
});

test("the sources can be changed so", () => {
  const sources = readSources();
  refuseSharedNames(sources.values());
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  for (const [path, text] of sources) {
    const changed = ordinaryNames(text);
    const { code, uncommented } = sourceFile(path, text);
    // None was an ordinary name before, none stands in a string, none is left, and the text is still a program.
    expect([path, code.match(/\$[a-z]\w*/gi)]).toEqual([path, null]);
    expect([path, uncommented.match(/[\s(!]#\w+/g)]).toEqual([path, code.match(/[\s(!]#\w+/g)]);
    expect([path, sourceFile(path, changed).code.match(/[.\s(!]#\w+/g)]).toEqual([path, null]);
    transpiler.transformSync(changed);
  }
});
