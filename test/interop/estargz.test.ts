import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { link, mkdir, mkdtemp, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decodeLayer } from '../../src/compression/decode-layer.ts'
import { readArchiveMetadata } from '../../src/estargz/index/archive-metadata.ts'
import { compareTrees } from '../../src/estargz/verify/compare-trees.ts'
import { RootfsTree } from '../../src/estargz/verify/rootfs-tree.ts'
import { verifyEStargzBlob } from '../../src/estargz/verify/verify-blob.ts'
import { DEFAULT_LAYER_LIMITS as limits } from '../../src/tar/layer-limits.ts'
import * as tar from '../support/images/build-tar.ts'
import { convertWithoutRecord, convertWithRecord, splitIntoPieces } from '../support/images/convert-layer.ts'
import { describeWithPeers } from '../support/peers/peers.ts'

const run = promisify(execFile)
const long = `deep/${'folder/'.repeat(18)}${'name'.repeat(20)}`

describeWithPeers(['tar'], 'eStargz layers and GNU tar', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'estargz-'))
    const root = join(folder, 'root')
    await mkdir(join(root, long, '..'), { recursive: true })
    await mkdir(join(root, 'bin'))
    await writeFile(join(root, long), 'found at the end of a long name')
    await writeFile(join(root, 'empty'), '')
    await writeFile(join(root, 'bin/tool'), randomBytes(9 << 20), { mode: 0o755 })
    await link(join(root, 'bin/tool'), join(root, 'bin/alias'))
    await symlink('tool', join(root, 'bin/link'))
    await utimes(join(root, 'empty'), 1.5e9, 1.5e9)
    for (let i = 0; i < 300; i++) await writeFile(join(root, `bin/file-${i}`), `content ${i}\n`.repeat(i))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const archive = async (...options: string[]) => {
    const path = join(folder, 'source.tar')
    await run('tar', [...options, '-C', join(folder, 'root'), '-cf', path, '.'])
    return readFile(path)
  }

  it.each(['gnu', 'posix', 'ustar'])(
    'extract to the same folder as the source, which GNU tar wrote (%s)',
    async (format) => {
      const layer = await archive(`--format=${format}`)
      const wanted = [long, 'bin/alias', 'bin/file-7', 'bin/link']
      const { blob, result, placed } = await convertWithRecord(layer, wanted)
      expect(placed).toEqual(wanted)
      const path = join(folder, 'layer.tar.gz')
      await writeFile(path, blob)
      await run('gzip', ['-t', path])
      const extracted = await mkdtemp(join(folder, 'extracted-'))
      await run('tar', ['-C', extracted, '-xzpf', path])
      const added = ['.prefetch.landmark', 'stargz.index.json']
      await run('diff', [
        '-r',
        '--no-dereference',
        ...added.flatMap((name) => ['-x', name]),
        join(folder, 'root'),
        extracted,
      ])
      const { tocDigest, diffId } = result
      const verified = await verifyEStargzBlob(splitIntoPieces(blob), { limits, tocDigest, diffId })
      // GNU tar archives one of the two names as the file, which must precede the other one, a hard link.
      const { prioritized } = verified
      expect(prioritized.filter((name) => name !== 'bin/tool')).toEqual(wanted)
      expect(verified.landmark).toBe('prefetch')
    },
  )

  it('list the entries of the source in its order, then the landmark and the table of contents', async () => {
    const layer = await archive('--format=posix')
    const { blob } = await convertWithoutRecord(layer)
    const path = join(folder, 'streamed.tar.gz')
    await writeFile(path, blob)
    const list = async (name: string) =>
      (await run('tar', ['-tvf', name], { maxBuffer: 1 << 26 })).stdout.trim().split('\n')
    const lines = await list(path)
    expect(lines.pop()).toContain('stargz.index.json')
    expect(lines.pop()).toMatch(/^---------- 0\/0 +1 .* \.no\.prefetch\.landmark$/)
    expect(lines).toEqual(await list(join(folder, 'source.tar')))
  })

  it('list entries that only some writers create', async () => {
    const layer = tar.buildTar(
      tar.globalPax({ comment: 'made by hand' }),
      tar.dir('./dev'),
      tar.device('char', './dev/null', 1, 3, { mode: 0o666 }),
      tar.device('block', './dev/sda', 8, 0),
      tar.fifo('./pipe'),
      tar.file('./big', 'x', { base256: true }),
      tar.file(`./${long}`, 'y', { gnu: true }),
      tar.file('./cap', 'z', {
        pax: { 'SCHILY.xattr.security.capability': Buffer.from([1, 0xff, 0xc0, 0]) },
      }),
      tar.file('./.wh.gone'),
    )
    const { blob } = await convertWithRecord(layer, ['cap', 'dev/null'])
    const path = join(folder, 'unusual.tar.gz')
    await writeFile(path, blob)
    const { stdout } = await run('tar', ['-tvzf', path])
    expect(stdout).toMatch(
      /^-.* \.\/cap\nd.* \.\/dev\/\ncrw-rw-rw- 0\/0 +1,3 .* \.\/dev\/null\n-.*\.prefetch\.landmark\nb/,
    )
    expect(stdout).toContain(`./${long}`)
  })

  it('are not created from sparse files of GNU tar, in any of its formats', async () => {
    const sparse = join(folder, 'sparse')
    await mkdir(sparse)
    await writeFile(join(sparse, 'hole'), '')
    await truncate(join(sparse, 'hole'), 1024 * 1024)
    for (const format of ['gnu', 'posix']) {
      const path = join(folder, `sparse-${format}.tar`)
      await run('tar', [`--format=${format}`, '-S', '-C', sparse, '-cf', path, 'hole'])
      await expect(convertWithRecord(await readFile(path))).rejects.toMatchObject({
        code: 'UNSUPPORTED_ENTRY',
      })
    }
  })

  it('have the same file tree as the source', async () => {
    const layer = await archive('--format=posix')
    const readTree = async (bytes: Buffer) =>
      new RootfsTree(
        [await readArchiveMetadata(decodeLayer(splitIntoPieces(bytes), { limits }), limits)],
        'pulled',
        limits,
      )
    const { blob } = await convertWithRecord(layer, ['bin/tool'])
    expect(compareTrees(await readTree(layer), await readTree(blob))).toEqual([])
  })
})
