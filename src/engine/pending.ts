/** What waits for the outermost command to return: bits of Engine.pending. While it is 0, execute() looks at nothing else. */
export const Pending = {
  /** Engine.pushes holds messages of the executing client to itself. */
  Pushes: 1 << 0,
  /** Engine.propagation holds commands. */
  Propagation: 1 << 1,
  /** Keys are ready that clients wait for. */
  Ready: 1 << 2,
} as const;
