/** TIME: the wall clock in seconds and microseconds. */
import { type Context, command } from "../../engine/context.ts";
import { Flag } from "../../engine/spec/spec.ts";

/** Inside EXEC and scripts time stands still: there, the milliseconds of the whole unit are all there is. */
function time(cx: Context): void {
  const { engine } = cx;
  const nowUs = engine.depth > 1 ? cx.nowMs * 1000 : engine.clock.nowUs();
  const seconds = Math.floor(nowUs / 1e6);
  cx.reply.array(2);
  cx.reply.bulkText(String(seconds));
  cx.reply.bulkText(String(nowUs - seconds * 1e6));
}

export const TIME_COMMANDS = [
  command({
    name: "time",
    arity: 1,
    flags: Flag.Loading | Flag.Stale | Flag.Fast,
    since: "2.6.0",
    group: "server",
    summary: "Tells the server's time in seconds and microseconds.",
    complexity: "O(1)",
    tips: ["nondeterministic_output"],
    run: time,
  }),
];
