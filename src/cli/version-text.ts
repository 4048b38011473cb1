/** The line that --version prints, in the shape that scripts around redis-server parse. */

import { REDIS_TS_VERSION } from "../base/version.ts";
import type { Personality } from "../config/personality.ts";

/** Digits of the runtime's revision that stand for the build. */
const BUILD_ID_DIGITS = 16;

/** `Redis server v=7.2.4 sha=00000000:0 malloc=libc bits=64 build=... redis-ts=0.1.0`, without a line end. */
export function versionText(personality: Personality): string {
  const version = personality.valkeyVersion ?? personality.redisVersion;
  const build = Bun.revision.slice(0, BUILD_ID_DIGITS);
  const head = `${personality.title} server v=${version} sha=00000000:0 malloc=libc bits=64 build=${build}`;
  return `${head} redis-ts=${REDIS_TS_VERSION}`;
}
