import { expect, test } from "bun:test";
import { hexDecode, hexDigit, hexEncode, hexValue, writeHex } from "../../src/base/hex.ts";
import { bytes, embed, seededTest } from "./seeded.ts";

seededTest("bytes to digits and back", (random) => {
  for (let i = 0; i < 500; i++) {
    const content = new Uint8Array(random.below(30));
    random.fill(content, 0, content.length);
    const text = hexEncode(embed(content, 2, 1), 2, content.length);
    expect(text).toBe(Buffer.from(content).toString("hex"));
    const written = new Uint8Array(2 * content.length + 2);
    expect(writeHex(written, 1, content, 0, content.length)).toBe(1 + text.length);
    expect(Buffer.from(written).toString("latin1")).toBe(`\0${text}\0`);
    const back = new Uint8Array(content.length + 2);
    const digits = bytes(random.below(2) ? text : text.toUpperCase());
    expect(hexDecode(back, 1, embed(digits, 3, 48), 3, digits.length)).toBe(content.length);
    expect(back).toEqual(embed(content, 1, 0).slice(0, content.length + 2));
  }
});

test("what is no hexadecimal is refused", () => {
  const dst = new Uint8Array(8);
  for (const text of ["0", "0g", "g0", "abc", "0x", "  ", "0:", "/0", "@@", "``"]) {
    expect(hexDecode(dst, 0, bytes(text), 0, text.length), text).toBe(-1);
  }
});

test("every byte as a digit", () => {
  for (let byte = 0; byte < 256; byte++) {
    const text = String.fromCharCode(byte);
    expect(hexValue(byte)).toBe(/^[0-9a-fA-F]$/.test(text) ? Number.parseInt(text, 16) : -1);
  }
  for (let value = 0; value < 16; value++) expect(String.fromCharCode(hexDigit(value))).toBe(value.toString(16));
});
