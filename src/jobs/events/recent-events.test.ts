import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { StreamedJobEvent } from './event-log.ts'
import { RecentEvents } from './recent-events.ts'

const IDS = ['019ab000-0000-7000-8000-000000000001', '019ab000-0000-7000-8000-00000000000a']

function eventAt(tx: number, jobId: string, seq: number): StreamedJobEvent {
  return {
    jobId,
    seq,
    type: 'queued',
    createdAt: 0,
    data: {},
    cursor: `${tx}.${seq}.${jobId}`,
    project: 'default',
    kind: 'conversion',
    source: '',
    target: '',
    labels: {},
  }
}

/** Events in the order of the database: by transaction, job and number. */
const events = Array.from({ length: 60 }, (_, n) => {
  const tx = 5 + Math.floor(n / 6)
  return eventAt(tx, IDS[Math.floor(n / 3) % 2] ?? '', 1 + (n % 3))
})

it('the events after a cursor are all of them or unknown', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.nat(20), sizes, fc.integer({ min: 1, max: 12 }), fc.nat(59), (start, added, max, at) => {
      const recent = new RecentEvents(events[start]?.cursor ?? '', max)
      let end = start + 1
      for (const size of added) {
        recent.add(events.slice(end, end + size))
        end = Math.min(events.length, end + size)
      }
      expect(recent.end).toBe(events[end - 1]?.cursor)
      const found = recent.after(events[at]?.cursor ?? '', 5)
      if (found) expect(found).toEqual(events.slice(at + 1, end).slice(0, 5))
      else expect(at).toBeLessThan(Math.max(start, end - 1 - max))
    }),
  )
})

it('a client that has waited since before the first event gets all events', () => {
  const recent = new RecentEvents('0.0.', 100)
  expect(recent.after('0.0.', 5)).toEqual([])
  recent.add(events.slice(0, 2))
  expect(recent.after('0.0.', 5)).toEqual(events.slice(0, 2))
})
