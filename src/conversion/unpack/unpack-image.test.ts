import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ConversionBench } from '../../../test/support/conversion-bench.ts'
import {
  buildTar,
  device,
  dir,
  fifo,
  file,
  hardlink,
  symlink,
} from '../../../test/support/images/build-tar.ts'
import { pushImage } from '../../../test/support/images/push-image.ts'
import { hostPlatform } from './host-platform.ts'
import { unpackImage } from './unpack-image.ts'

const { signal } = new AbortController()
let bench: ConversionBench
let folder: string
let count = 0
beforeAll(async () => {
  bench = await ConversionBench.open()
  folder = mkdtempSync(join(tmpdir(), 'unpack-image-'))
})
afterAll(async () => {
  for (let n = 0; n < count; n++) chmodSync(join(folder, `${n}`), 0o755)
  rmSync(folder, { recursive: true, force: true })
  await bench[Symbol.asyncDispose]()
})

async function unpack(layers: readonly Buffer[], configFields: Record<string, unknown> = {}) {
  const root = join(folder, `${count++}`)
  const zstd = { mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd', compress: zstdCompressSync }
  // Every second layer is compressed by zstd.
  const image = { layers: layers.map((tar, i) => ({ tar, ...(i % 2 === 1 && zstd) })), configFields }
  await pushImage(bench.repository('app'), image, `${count}`)
  const unpacked = await unpackImage(`${bench.host}/app:${count}`, root, bench.services, { signal })
  const list = execFileSync('find', ['.', '-printf', '%P %y %m\n'], { cwd: root, encoding: 'utf8' })
  return { root, unpacked, files: list.trim().split('\n').sort() }
}

it('writes the root that a container sees, and leaves no layers behind', async () => {
  const { root, files, unpacked } = await unpack(
    [
      buildTar(
        dir('./', { mode: 0o755 }),
        dir('usr', { mode: 0o750 }),
        dir('usr/lib'),
        file('usr/lib/x', 'old', { mode: 0o600 }),
        file('usr/lib/gone', 'gone'),
        symlink('lib', 'usr/lib'),
        file('opaque/below', 'below'),
      ),
      buildTar(
        file('lib/y', 'through a symlink', { mode: 0o4755, mtime: 1_500_000_000 }),
        file('usr/lib/x', 'new'),
        hardlink('usr/again', 'usr/lib/x'),
        file('usr/lib/.wh.gone'),
        file('opaque/.wh..wh..opq'),
        file('opaque/above', 'above'),
        device('char', 'null', 1, 3),
        fifo('pipe'),
      ),
      buildTar(file('a', 'one'), hardlink('b', 'a'), file('a', 'two')),
    ],
    { config: { Entrypoint: ['/start'], Cmd: ['--now'], Env: ['A=1'], WorkingDir: '/srv' } },
  )
  expect(files).toEqual([
    'a f 644',
    'b f 644',
    'd 755',
    'lib l 777',
    'opaque d 755',
    'opaque/above f 644',
    'usr d 750',
    'usr/again f 644',
    'usr/lib d 755',
    'usr/lib/x f 644',
    'usr/lib/y f 4755',
  ])
  const text = (path: string) => readFileSync(join(root, path), 'utf8')
  expect([text('usr/lib/x'), text('usr/lib/y'), text('a'), text('b')]).toEqual([
    'new',
    'through a symlink',
    'two',
    'one',
  ])
  expect(statSync(join(root, 'usr/again')).ino).toBe(statSync(join(root, 'usr/lib/x')).ino)
  expect(readlinkSync(join(root, 'lib'))).toBe('usr/lib')
  expect(statSync(join(root, 'usr/lib/y')).mtimeMs).toBe(1_500_000_000_000)
  expect(unpacked).toMatchObject({
    pinned: expect.stringContaining('@sha256:'),
    process: { command: ['/start', '--now'], environment: ['A=1'], workingDirectory: '/srv' },
    omittedCount: 2,
  })
  expect(() => lstatSync(`${root}.layers`)).toThrow('ENOENT')
})

it('writes nothing outside of the root', async () => {
  const outside = join(folder, 'outside')
  const { files } = await unpack([
    buildTar(symlink('out', outside), symlink('up', '../../..')),
    buildTar(file('out/x', 'x'), file('../escaped', 'x'), file('up/escaped', 'x'), file('/absolute', 'x')),
  ])
  expect(() => lstatSync(outside)).toThrow('ENOENT')
  expect(execFileSync('find', [folder, '-name', 'escaped'], { encoding: 'utf8' }).trim().split('\n')).toEqual(
    [join(folder, `${count - 1}`, 'escaped')],
  )
  expect(files).toContain('absolute f 644')
})

it('selects the image of this machine in an index, and refuses what it cannot read', async () => {
  expect(hostPlatform()).toMatch(/^linux\/(amd64|arm64)/)
  const damaged = { layers: [{ tar: Buffer.from('no archive') }] }
  await pushImage(bench.repository('app'), damaged, 'damaged')
  await expect(
    unpackImage(`${bench.host}/app:damaged`, join(folder, 'damaged'), bench.services, { signal }),
  ).rejects.toMatchObject({ code: 'CORRUPT_TAR' })
  expect(() => lstatSync(join(folder, 'damaged.layers'))).toThrow('ENOENT')
})
