/**
 * When the just-in-time compiler works, and what it may take for granted.
 *
 * The executable starts with a compiler that compiles next to nothing (scripts/build.ts), because code that runs once is not worth it. And until the first
 * buffer of a process is detached, compiled code takes it for granted that none ever is: at that moment all code that reads a typed array, which is nearly all
 * of a server's, is thrown away and has to be compiled again. Long chunks of input are detached when they are used up (net/connection.ts), so that would be
 * in the middle of a client's work.
 */

/** Has what runs from here on compiled as usual, for a process in which buffers are detached. To be called before anything is worth compiling. */
export function compileFromHereOn(): void {
  new Uint8Array(4096).buffer.transfer(0);
  Bun.unsafe.setJITPolicy(1);
}
