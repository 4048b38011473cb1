/** The transcript player itself: equal dialogues pass, different ones fail. */
import { expect, test } from "bun:test";
import { transcript } from "./engine.ts";

test("a dialogue that agrees passes", () => {
  transcript(`
    > SET k v
    OK
    > GET k
    v
    > GET none
    (nil)`);
});

test("a dialogue that does not agree fails", () => {
  expect(() => transcript("> SET k v\n(nil)")).toThrow("transcript differs");
});
