import fc from 'fast-check'
import { expect, it } from 'vitest'
import { buildTar, dir, file, symlink } from '../../../test/support/images/build-tar.ts'
import {
  convertWithoutRecord,
  convertWithRecord,
  splitIntoPieces,
} from '../../../test/support/images/convert-layer.ts'
import { DEFAULT_LAYER_LIMITS } from '../../tar/layer-limits.ts'
import { readArchiveMetadata } from '../index/archive-metadata.ts'
import { compareTrees } from './compare-trees.ts'
import { RootfsTree } from './rootfs-tree.ts'
import { verifyEStargzBlob } from './verify-blob.ts'

const limits = DEFAULT_LAYER_LIMITS
const name = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'))
const attributes = fc.record({
  mode: fc.constantFrom(0o755, 0o700, 0o1777),
  uid: fc.nat(2),
  mtime: fc.nat(9),
})
/** An entry with its clean name. */
type NamedEntry = { readonly entryName: string; readonly isDirectory: boolean; readonly bytes: Buffer }
const nonDirectory = (entryName: string, bytes: Buffer): NamedEntry => ({
  entryName,
  isDirectory: false,
  bytes,
})
const directory = (entryName: string, bytes: Buffer): NamedEntry => ({ entryName, isDirectory: true, bytes })
const entry: fc.Arbitrary<NamedEntry> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(name, attributes).map(([path, attrs]) => nonDirectory(path, file(path, path, attrs))),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(name, attributes).map(([path, attrs]) => directory(path, dir(path, attrs))),
  },
  { weight: 1, arbitrary: attributes.map((attrs) => directory('', dir('./', attrs))) },
  {
    weight: 1,
    arbitrary: fc.tuple(name, name).map(([path, target]) => nonDirectory(path, symlink(path, `/${target}`))),
  },
  {
    weight: 1,
    arbitrary: name
      .map((path) => path.replace(/[^/]*$/, '.wh.$&'))
      .map((path) => nonDirectory(path, file(path))),
  },
  {
    weight: 1,
    arbitrary: name.map((path) => `${path}/.wh..wh..opq`).map((path) => nonDirectory(path, file(path))),
  },
)
/** Rejects layers that no tool creates: with entries below a name that is not a directory. */
const isRealistic = (entries: readonly NamedEntry[]) =>
  entries.every(
    ({ entryName, isDirectory }) =>
      isDirectory || !entries.some((descendant) => descendant.entryName.startsWith(`${entryName}/`)),
  )
const layers = fc.array(
  fc
    .array(entry, { maxLength: 6 })
    .filter(isRealistic)
    .map((entries) => buildTar(...entries.map(({ bytes }) => bytes))),
  { minLength: 1, maxLength: 4 },
)

it('a lazy reader of a conversion shows the same files as a pull of its source, for any stack of layers', async () => {
  await fc.assert(
    fc.asyncProperty(layers, fc.boolean(), name, async (archives, lossless, prioritized) => {
      const source = await Promise.all(
        archives.map((archive) => readArchiveMetadata(splitIntoPieces(archive), limits)),
      )
      const format = lossless ? { externalToc: true, lossless } : {}
      const converted = await Promise.all(
        archives.map(async (archive, i) => {
          const lower = archives.slice(0, i).reverse()
          const { blob, result } = lossless
            ? await convertWithoutRecord(archive, { format, lower })
            : await convertWithRecord(archive, [prioritized], { format, lower })
          const { tocDigest, diffId, externalToc } = result
          const toc = externalToc && { externalToc: Buffer.from(externalToc) }
          return (await verifyEStargzBlob(splitIntoPieces(blob), { limits, tocDigest, diffId, ...toc }))
            .metadata
        }),
      )
      const [pulled, lazy] = [
        new RootfsTree(source, 'pulled', limits),
        new RootfsTree(converted, 'lazy', limits),
      ]
      expect(compareTrees(pulled, lazy)).toEqual([])
    }),
    { numRuns: 60 },
  )
})
