import { expect, it } from 'vitest'
import {
  device,
  type EntryAttributes,
  file,
  globalPax,
  hardlink,
  paxHeader,
  withChecksum,
  withGnuMagic,
} from '../../../test/support/images/build-tar.ts'
import { DEFAULT_LAYER_LIMITS } from '../../tar/layer-limits.ts'
import { TarScanner } from '../../tar/tar-scanner.ts'
import { type HeaderTimes, readHeaderTimes } from './header-times.ts'

function timesOf(archive: Buffer): HeaderTimes | undefined {
  for (const event of new TarScanner(DEFAULT_LAYER_LIMITS).push(archive)) {
    if (event.kind === 'entry') return readHeaderTimes(event.entry, event.header)
  }
  throw new Error('the archive has no entry')
}

/** A GNU header with times at these offsets. */
function gnuHeader(times: Record<number, string>, attributes: EntryAttributes = {}): Buffer {
  const entry = withGnuMagic(file('a', '', attributes))
  for (const [offset, time] of Object.entries(times)) {
    entry.write(`${time}\0`, Number(offset), 'latin1')
  }
  return withChecksum(entry)
}

/** An entry with text at an offset of its header. */
function withText(offset: number, text: string, entry: Buffer): Buffer {
  const changed = Buffer.from(entry)
  changed.write(text, offset, 'latin1')
  return withChecksum(changed)
}

it.each<[string, Buffer, HeaderTimes | undefined]>([
  ['whole seconds', file('a', '', { mtime: 12 }), {}],
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
    'access and change times in a PAX header',
    file('a', '', { pax: { atime: '1.000000001', ctime: '2' } }),
    { accesstime: '1970-01-01T00:00:01.000000001Z', changetime: '1970-01-01T00:00:02Z' },
  ],
  [
    'access and change times in GNU fields',
    gnuHeader({ 345: '00000000003', 357: '00000000004' }),
    { accesstime: '1970-01-01T00:00:03Z', changetime: '1970-01-01T00:00:04Z' },
  ],
  ['a name prefix in the fields of GNU times', gnuHeader({ 345: 'folder' }), {}],
  [
    'a global PAX header between its own',
    Buffer.concat([paxHeader('10 uid=11\n'), globalPax({ a: 'b' }), file('a')]),
    undefined,
  ],
  [
    'several PAX headers, the last of which counts',
    Buffer.concat([paxHeader('11 atime=5\n'), file('a', '', { pax: { mtime: '12.5' } })]),
    { modtime: '1970-01-01T00:00:12.5Z' },
  ],
  ['a link name although it is a file', withText(157, 'target', file('a')), undefined],
  [
    'a link name in a PAX header although it is a file',
    file('a', '', { pax: { linkpath: 'target' } }),
    undefined,
  ],
  ['device numbers although it is a file', withText(329, '0000007', file('a')), undefined],
  ['a size although it is a hard link', withText(124, '00000000005', hardlink('a', 'b')), undefined],
  [
    'a size in a PAX header although it is a hard link',
    hardlink('a', 'b', { pax: { size: '5' } }),
    undefined,
  ],
  ['a link name, as a hard link', hardlink('a', 'b'), {}],
  ['device numbers, as a device', device('char', 'a', 1, 3), {}],
  ['an invalid access time', file('a', '', { pax: { atime: 'x' } }), undefined],
  ['a time that RFC 3339 cannot express', file('a', '', { pax: { mtime: '99999999999999' } }), undefined],
])('readHeaderTimes reads a header with %s', (_, archive, times) => {
  expect(timesOf(archive)).toEqual(times)
})
