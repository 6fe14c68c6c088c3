import { homedir } from 'node:os'
import { join } from 'node:path'

/** The folder outside the checkout that caches what tests and benchmarks take long to build. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'record-broker')
}
