/** The geospatial commands, all of them. A geospatial index is a sorted set whose scores are geohashes (base/geohash.ts). */
import type { CommandLiteral } from "../../engine/spec/spec.ts";
import { GEO_PLACE_COMMANDS } from "./place.ts";
import { GEO_SEARCH_COMMANDS } from "./search.ts";

export const GEO_COMMANDS: readonly CommandLiteral[] = [...GEO_PLACE_COMMANDS, ...GEO_SEARCH_COMMANDS];
