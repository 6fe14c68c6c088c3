import { expect, it } from 'vitest'
import { type Attributes, asGnu, file, globalPax, paxHeader, summed } from '../../test/support/tar-of.ts'
import { DEFAULT_LIMITS } from '../tar/limits.ts'
import { TarScanner } from '../tar/scanner.ts'
import { type HeaderTimes, timesOfHeader } from './header-times.ts'

function timesOf(archive: Buffer): HeaderTimes | undefined {
  for (const event of new TarScanner(DEFAULT_LIMITS).push(archive)) {
    if (event.kind === 'entry') return timesOfHeader(event.entry, event.header)
  }
  throw new Error('there is an entry')
}

/** A header of GNU with times at these places of it. */
function gnu(times: Record<number, string>, attributes: Attributes = {}): Buffer {
  const entry = asGnu(file('a', '', attributes))
  for (const [at, time] of Object.entries(times)) entry.write(`${time}\0`, Number(at), 'latin1')
  return summed(entry)
}

it.each<[string, Buffer, HeaderTimes | undefined]>([
  ['whole seconds alone', file('a', '', { mtime: 12 }), {}],
  [
    'a fraction of a second',
    file('a', '', { pax: { mtime: '12.5' } }),
    { modtime: '1970-01-01T00:00:12.5Z' },
  ],
  [
    'a fraction before 1970',
    file('a', '', { pax: { mtime: '-0.25' } }),
    { modtime: '1969-12-31T23:59:59.75Z' },
  ],
  [
    'times of access and change by PAX',
    file('a', '', { pax: { atime: '1.000000001', ctime: '2' } }),
    { accesstime: '1970-01-01T00:00:01.000000001Z', changetime: '1970-01-01T00:00:02Z' },
  ],
  [
    'times of access and change by GNU',
    gnu({ 345: '00000000003', 357: '00000000004' }),
    { accesstime: '1970-01-01T00:00:03Z', changetime: '1970-01-01T00:00:04Z' },
  ],
  ['a prefix where GNU has times', gnu({ 345: 'folder' }), {}],
  [
    'a global header among its own',
    Buffer.concat([paxHeader('10 uid=11\n'), globalPax({ a: 'b' }), file('a')]),
    undefined,
  ],
  ['a time of access that is none', file('a', '', { pax: { atime: 'x' } }), undefined],
  ['a time that RFC 3339 cannot write', file('a', '', { pax: { mtime: '99999999999999' } }), undefined],
])('of a header with %s', (_, archive, times) => {
  expect(timesOf(archive)).toEqual(times)
})
