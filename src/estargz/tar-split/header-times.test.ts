import { expect, it } from 'vitest'
import {
  type Attributes,
  asGnu,
  device,
  file,
  globalPax,
  hardlink,
  paxHeader,
  summed,
} from '../../../test/support/tar-of.ts'
import { DEFAULT_LIMITS } from '../../tar/limits.ts'
import { TarScanner } from '../../tar/scanner.ts'
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

/** An entry with text at a place of its header. */
function at(start: number, text: string, entry: Buffer): Buffer {
  const changed = Buffer.from(entry)
  changed.write(text, start, 'latin1')
  return summed(changed)
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
  [
    'several PAX headers, of which the last one counts',
    Buffer.concat([paxHeader('11 atime=5\n'), file('a', '', { pax: { mtime: '12.5' } })]),
    { modtime: '1970-01-01T00:00:12.5Z' },
  ],
  ["a link's target that is a file", at(157, 'target', file('a')), undefined],
  ['such a target by PAX', file('a', '', { pax: { linkpath: 'target' } }), undefined],
  ['the numbers of a device that is a file', at(329, '0000007', file('a')), undefined],
  ['a size of a hard link', at(124, '00000000005', hardlink('a', 'b')), undefined],
  ['such a size by PAX', hardlink('a', 'b', { pax: { size: '5' } }), undefined],
  ['the target of a link', hardlink('a', 'b'), {}],
  ['the numbers of a device', device('char', 'a', 1, 3), {}],
  ['a time of access that is none', file('a', '', { pax: { atime: 'x' } }), undefined],
  ['a time that RFC 3339 cannot write', file('a', '', { pax: { mtime: '99999999999999' } }), undefined],
])('of a header with %s', (_, archive, times) => {
  expect(timesOf(archive)).toEqual(times)
})
