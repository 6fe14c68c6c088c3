import { z } from 'zod'
import type { CheckResult } from './background-check.ts'

export const Health = z
  .object({ status: z.literal('ok') })
  .meta({ id: 'Health', description: 'The server responds.', examples: [{ status: 'ok' }] })

const Check = z.object({ ok: z.boolean(), detail: z.string().optional() })
type Check = z.infer<typeof Check>

export const Readiness = z
  .object({
    status: z
      .enum(['ready', 'degraded', 'unavailable'])
      .describe(
        '`degraded`: requests are accepted, but some work cannot be done at present. `unavailable`: send requests to another replica, or later.',
      ),
    database: Check,
    registry: Check.describe('The backing registry. `PENDING`: the first check has not finished yet.'),
    storage: Check.describe("`STORAGE_FULL`: the broker's disk is full; conversions wait for free space."),
    workers: Check.extend({ running: z.int().optional() }),
  })
  .meta({
    id: 'Readiness',
    description: 'Whether the broker and the services that it depends on are working.',
    examples: [
      {
        status: 'ready',
        database: { ok: true },
        registry: { ok: true },
        storage: { ok: true },
        workers: { ok: true, running: 2 },
      },
    ],
  })
export type Readiness = z.infer<typeof Readiness>

/** A pending check counts as passed: a start is not an outage. */
export function checkView(result: CheckResult<unknown> | undefined): Check {
  if (result === undefined) return { ok: true, detail: 'PENDING' }
  return result.ok ? { ok: true } : { ok: false, detail: result.detail }
}

export function storageView(hasFreeSpace: CheckResult<boolean> | undefined): Check {
  return hasFreeSpace?.ok && !hasFreeSpace.value
    ? { ok: false, detail: 'STORAGE_FULL' }
    : checkView(hasFreeSpace)
}

export function workersView(running: CheckResult<number> | undefined): Readiness['workers'] {
  if (!running?.ok) return { ok: false, detail: 'the number of workers is unknown' }
  if (running.value > 0) return { ok: true, running: running.value }
  return { ok: false, running: 0, detail: 'no worker is running; jobs wait' }
}
