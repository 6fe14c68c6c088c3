import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { inspectImage } from '../../src/conversion/inspect.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_LAYER } from '../../src/oci/media-types.ts'
import { ConversionBench } from '../support/conversion-bench.ts'
import { buildTar, dir, file, hardlink, symlink } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { Containerd } from '../support/peers/containerd.ts'
import { startDockerRegistry } from '../support/peers/docker-registry.ts'
import { describeWithPeers } from '../support/peers/peers.ts'
import { runProgram } from '../support/run-program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The binary `security.capability` attribute (VFS_CAP_REVISION_2) of a program that may bind low ports. */
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex')
const LONG = `usr/share/${'long-folder-name/'.repeat(9)}${'x'.repeat(60)}.txt`
const CHUNK = 4 * 1024 * 1024

/** Without entries of their own, these directories would get the time of the extraction. */
function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join('/')).slice(1)
}

const lower = buildTar(
  dir('./usr'),
  dir('./usr/bin'),
  file('./usr/bin/ping', 'ping', { mode: 0o755, pax: { 'SCHILY.xattr.security.capability': CAPABILITY } }),
  file('./usr/bin/sudo', 'sudo', { mode: 0o4755 }),
  symlink('./bin', 'usr/bin'),
  ...parentsOf(LONG).map((path) => dir(path)),
  dir('./usr/lib'),
  dir('./etc'),
  file(LONG, 'a long name'),
  file(`${LONG}.gnu`, 'a long name by GNU tar', { gnu: true }),
  file('./usr/lib/exact', randomBytes(CHUNK)),
  file('./usr/lib/one-more', randomBytes(CHUNK + 1)),
  file('./usr/lib/base256', 'size in base-256', { base256: true }),
  file('./usr/empty', ''),
  hardlink('./usr/bin/alias', 'usr/bin/ping'),
  file('./etc/conf', 'old', { uid: 1000, gid: 2000, mtime: 1234567890 }),
  file('./etc/gone', 'gone'),
  dir('./opaque'),
  file('./opaque/hidden', 'hidden'),
)
const upper = buildTar(
  dir('etc', { mtime: 1500000000 }),
  file('etc/.wh.gone', ''),
  file('etc/conf', 'new'),
  dir('opaque'),
  file('opaque/.wh..wh..opq', ''),
  file('opaque/shown', 'shown'),
  file('twice', 'first'),
  file('twice', 'second'),
)
const empty = buildTar()
const image = {
  layers: [
    { tar: lower },
    { tar: upper, compress: (tar: Buffer) => tar, mediaType: OCI_LAYER },
    { tar: empty },
  ],
}

describeWithPeers(['docker-registry', 'skopeo', 'umoci', 'tar'], 'conversions and other tools', () => {
  let registry: Awaited<ReturnType<typeof startDockerRegistry>>
  let bench: ConversionBench
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let extracted = 0

  beforeAll(async () => {
    registry = await startDockerRegistry()
    bench = await ConversionBench.open(registry.host)
    folder = await temporaryFolder()
    await pushImage(bench.repository('team/app'), image, '1')
  })
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
    await registry?.stop()
  })

  /**
   * Pulls an image with skopeo, extracts it with umoci, and returns the digest of its root file system as GNU
   * tar archives it.
   */
  async function digestRootfs(
    reference: string,
  ): Promise<{ names: string[]; digest: string; capability: boolean }> {
    const work = join(folder.path, `extracted-${extracted++}`)
    await mkdir(work)
    await runProgram(
      'skopeo',
      'copy',
      '-q',
      '--src-tls-verify=false',
      `docker://${reference}`,
      `oci:${work}/oci:image`,
    )
    await runProgram('umoci', 'unpack', '--image', `${work}/oci:image`, `${work}/bundle`)
    const root = `${work}/bundle/rootfs`
    const added = ['.prefetch.landmark', '.no.prefetch.landmark', 'stargz.index.json']
    const names = (await readdir(root)).filter((name) => !added.includes(name)).toSorted()
    const archive = `${work}/tree.tar`
    const allAttributes = [
      '--format=posix',
      '--sort=name',
      '--numeric-owner',
      '--xattrs',
      '--xattrs-include=*',
    ]
    const noVolatileTimes = '--pax-option=delete=atime,delete=ctime'
    await runProgram('tar', '-C', root, ...allAttributes, noVolatileTimes, '-cf', archive, ...names)
    const bytes = await readFile(archive)
    return { names, digest: digestOf(bytes), capability: bytes.includes(CAPABILITY) }
  }

  it('have the same root file system, with and without a record', async () => {
    const source = `${registry.host}/team/app:1`
    const before = await digestRootfs(source)
    expect(before).toMatchObject({ capability: true, names: expect.arrayContaining(['usr', 'twice']) })
    const inline = [{ path: 'bin/alias' }, { path: 'usr/lib/one-more' }, { path: 'etc/conf' }, { path: LONG }]
    for (const [tag, record] of [
      ['streamed', undefined],
      ['arranged', { inline }],
    ] as const) {
      const target = `${registry.host}/team/app:${tag}`
      await bench.convert({ source, target, ...(record && { record }) })
      expect(await digestRootfs(target)).toEqual(before)
      expect(await bench.verify({ reference: target, source })).toMatchObject({ verified: true })
    }
  })
})

describeWithPeers(
  ['docker-registry', 'skopeo', 'containerd', 'ctr-remote'],
  'images that ctr-remote converted',
  () => {
    it('can be the source of a record, whose order is reproduced exactly', async () => {
      const registry = await startDockerRegistry()
      try {
        await using bench = await ConversionBench.open(registry.host)
        await using folder = await temporaryFolder()
        await using containerd = await Containerd.start()
        const { host } = registry
        const layers = [
          {
            tar: buildTar(
              dir('usr'),
              dir('usr/bin'),
              ...['a', 'b', 'c', 'd', 'e'].map((name) => file(`usr/bin/${name}`, name.repeat(1000))),
            ),
          },
          { tar: buildTar(dir('etc'), file('etc/one', '1'), file('etc/two', '2'), file('etc/three', '3')) },
        ]
        await pushImage(bench.repository('model'), { layers }, '1')
        const order = ['usr/bin/d', 'etc/two', 'usr/bin/a', 'usr/bin/c', 'etc/one']
        const recordFile = join(folder.path, 'record.json')
        await writeFile(recordFile, order.map((path) => `${JSON.stringify({ path })}\n`).join(''))
        const archive = join(folder.path, 'image.tar')
        const name = `${host}/model:1`
        await runProgram(
          'skopeo',
          'copy',
          '-q',
          '--src-tls-verify=false',
          `docker://${name}`,
          `oci-archive:${archive}`,
        )
        await containerd.ctr('image', 'import', '--no-unpack', '--index-name', name, archive)
        const converting = ['--oci', '--estargz', '--estargz-record-in', recordFile]
        await containerd.ctr('image', 'convert', ...converting, name, `${host}/model:estargz`)
        const exported = join(folder.path, 'converted.tar')
        await containerd.ctr('image', 'export', exported, `${host}/model:estargz`)
        const to = `docker://${host}/model:estargz`
        await runProgram('skopeo', 'copy', '-q', '--dest-tls-verify=false', `oci-archive:${exported}`, to)

        const report = await bench.convert({
          source: name,
          target: `${host}/model:ours`,
          record: { copyFrom: `${host}/model:estargz` },
        })
        const readOrder = async (tag: string) => {
          const signal = new AbortController().signal
          const inspection = await inspectImage(`${host}/model:${tag}`, bench.services, signal)
          return inspection.images[0]?.layers.map((layer) => layer.prioritizedFiles)
        }
        const expected = [
          ['usr/bin/d', 'usr/bin/a', 'usr/bin/c'],
          ['etc/two', 'etc/one'],
        ]
        expect(await readOrder('estargz')).toEqual(expected)
        expect(await readOrder('ours')).toEqual(expected)
        expect(report.images[0]?.record).toMatchObject({ placedCount: 5, notFoundCount: 0 })
        expect(await bench.verify({ reference: report.target, source: name })).toMatchObject({
          verified: true,
        })
        // The result of ctr-remote is valid, and has the files of the source.
        expect(await bench.verify({ reference: `${host}/model:estargz`, source: name })).toMatchObject({
          verified: true,
        })
      } finally {
        await registry.stop()
      }
    })
  },
)
