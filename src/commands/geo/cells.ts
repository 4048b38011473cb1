/**
 * The cells of the map that a search has to look into: the one around the center, and those of its eight neighbours that the shape reaches. They are
 * parts of 2^steps by 2^steps, with as many steps as still make the nine cover the shape. All members in a cell have scores in one range.
 */
import { GEOHASH_STEPS, interleave, latitudeOf, latitudePart, longitudeOf, longitudePart } from "../../base/geohash.ts";
import type { Shape } from "./shape.ts";

/** Half the length of the equator on the Mercator map. */
const MAP_HALF_M = 20037726.37;

/** Neighbours in the order in which they are searched, east and north of the center being positive. */
const EAST = [0, 0, 0, 1, -1, 1, -1, 1, -1] as const;
const NORTH = [0, 1, -1, 0, 0, 1, 1, -1, -1] as const;
export const CELL_COUNT = EAST.length;

/** The cells that findCells found, in the order of search. */
export class Cells {
  steps = 0;
  /** Part numbers; the latitude's is -1 in a cell that need not be searched. */
  readonly longitudes = new Float64Array(CELL_COUNT);
  readonly latitudes = new Float64Array(CELL_COUNT);
}

/** Steps that make cells about as large as the circle, fewer where cells become narrow. */
function stepsFor(reachM: number, latitude: number): number {
  if (reachM === 0) return GEOHASH_STEPS;
  let steps = 1;
  for (let meters = reachM; meters < MAP_HALF_M; meters *= 2) steps++;
  steps -= 2;
  const parallel = Math.abs(latitude);
  if (parallel > 66) steps--;
  if (parallel > 80) steps--;
  return Math.min(GEOHASH_STEPS, Math.max(1, steps));
}

/** Finds the cells for a shape that has been measured. */
export function findCells(shape: Shape, cells: Cells): void {
  placeCells(shape, stepsFor(shape.reachM, shape.center.latitude), cells);
  if (cells.steps > 1 && !coversShape(shape, cells)) placeCells(shape, cells.steps - 1, cells);
  if (cells.steps >= 2) dropUnreached(shape, cells);
}

function placeCells(shape: Shape, steps: number, cells: Cells): void {
  const longitude = longitudePart(shape.center.longitude, steps);
  const latitude = latitudePart(shape.center.latitude, steps);
  const size = 2 ** steps;
  cells.steps = steps;
  for (let i = 0; i < CELL_COUNT; i++) {
    // The map is round in both directions for Redis.
    cells.longitudes[i] = EAST[i] === 0 ? longitude : (longitude + EAST[i] + size) % size;
    cells.latitudes[i] = NORTH[i] === 0 ? latitude : (latitude + NORTH[i] + size) % size;
  }
}

/** True when the neighbours in the four directions reach as far as the shape. */
function coversShape(shape: Shape, cells: Cells): boolean {
  const { latitudes, longitudes, steps } = cells;
  return (
    latitudeOf(latitudes[1] + 1, steps) >= shape.north &&
    latitudeOf(latitudes[2], steps) <= shape.south &&
    longitudeOf(longitudes[3] + 1, steps) >= shape.east &&
    longitudeOf(longitudes[4], steps) <= shape.west
  );
}

function dropUnreached(shape: Shape, cells: Cells): void {
  const { latitudes, longitudes, steps } = cells;
  const southEnough = latitudeOf(latitudes[0], steps) < shape.south;
  const northEnough = latitudeOf(latitudes[0] + 1, steps) > shape.north;
  const westEnough = longitudeOf(longitudes[0], steps) < shape.west;
  const eastEnough = longitudeOf(longitudes[0] + 1, steps) > shape.east;
  for (let i = 1; i < CELL_COUNT; i++) {
    const isNeedless =
      (southEnough && NORTH[i] < 0) ||
      (northEnough && NORTH[i] > 0) ||
      (westEnough && EAST[i] < 0) ||
      (eastEnough && EAST[i] > 0);
    if (isNeedless) latitudes[i] = -1;
  }
}

/** The lowest score in a cell. */
export function cellMin(cells: Cells, i: number): number {
  return interleave(cells.longitudes[i], cells.latitudes[i]) * 4 ** (GEOHASH_STEPS - cells.steps);
}

/** The lowest score beyond a cell. */
export function cellEnd(cells: Cells, i: number): number {
  return interleave(cells.longitudes[i], cells.latitudes[i], 1) * 4 ** (GEOHASH_STEPS - cells.steps);
}

/** True when two cells are one: on a coarse map a cell is a neighbour on both sides. */
export function sameCell(cells: Cells, i: number, j: number): boolean {
  return cells.longitudes[i] === cells.longitudes[j] && cells.latitudes[i] === cells.latitudes[j];
}
