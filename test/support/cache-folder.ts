import { homedir } from 'node:os'
import { join } from 'node:path'

/** The folder outside the checkout in which tests and benchmarks keep what is slow to make. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'record-broker')
}
