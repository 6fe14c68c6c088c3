/** The intervals for which tallies are kept, and their lengths in milliseconds. They start at full hours and days, UTC. */
export const RESOLUTION_MS = { hour: 3_600_000, day: 86_400_000 } as const
export type Resolution = keyof typeof RESOLUTION_MS
export const RESOLUTIONS = Object.keys(RESOLUTION_MS) as readonly Resolution[]

/** The start of the interval that contains a time. Times are in milliseconds since 1970. */
export function startOf(resolution: Resolution, timeMs: number): number {
  const lengthMs = RESOLUTION_MS[resolution]
  // Times before 1970 are negative.
  return Math.floor(timeMs / lengthMs) * lengthMs
}
