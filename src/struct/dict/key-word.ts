/** Word 0 of an entry of a dict, as far as it is about the key; owners of entries read it, too. */

export const KEY_LENGTH_MASK = 0x3fffffff;
/** The key is a large buffer. */
export const KEY_IS_LARGE = 1 << 31;
/** The entry's owner's to use. */
export const KEY_FLAG = 1 << 30;
