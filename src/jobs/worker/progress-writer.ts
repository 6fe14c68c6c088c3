import { setTimeout as delay } from 'node:timers/promises'
import type { Lease } from '../job.ts'
import type { JobLeases } from '../queue/leases.ts'

const PROGRESS_EVERY_MS = 500

/** Stores progress at most every {@link PROGRESS_EVERY_MS}, one write at a time, the newest value last. */
export function progressWriter(leases: JobLeases, lease: Lease) {
  let latest: { value: unknown } | undefined
  let writing: Promise<void> | undefined
  const ended = new AbortController()
  const write = async () => {
    while (latest) {
      const { value } = latest
      latest = undefined
      // Progress is a courtesy: a write that fails must not fail the job.
      await leases.progress(lease, value).catch(() => false)
      await delay(PROGRESS_EVERY_MS, undefined, { signal: ended.signal }).catch(() => {})
    }
    writing = undefined
  }
  return {
    onProgress: (value: unknown) => {
      latest = { value }
      writing ??= write()
    },
    /** Ends the writing; the work is over, so that what was not written does not matter any more. */
    flush: async () => {
      latest = undefined
      ended.abort()
      await writing
    },
  }
}
