import fc from 'fast-check'
import { expect, it } from 'vitest'
import { convertLayer, piecesOf, streamedLayer } from '../../../test/support/convert-layer.ts'
import { dir, file, symlink, tarOf } from '../../../test/support/tar-of.ts'
import { DEFAULT_LIMITS } from '../../tar/limits.ts'
import { listTree } from '../index/layer-tree.ts'
import { compareTrees } from './compare.ts'
import { RootTree } from './root-tree.ts'
import { verifyEStargzBlob } from './verify.ts'

const limits = DEFAULT_LIMITS
const name = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'))
const attributes = fc.record({
  mode: fc.constantFrom(0o755, 0o700, 0o1777),
  uid: fc.nat(2),
  mtime: fc.nat(9),
})
/** An entry, and its name. */
type Named = { readonly at: string; readonly isDirectory: boolean; readonly bytes: Buffer }
const other = (at: string, bytes: Buffer): Named => ({ at, isDirectory: false, bytes })
const directory = (at: string, bytes: Buffer): Named => ({ at, isDirectory: true, bytes })
const entry: fc.Arbitrary<Named> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(name, attributes).map(([at, more]) => other(at, file(at, at, more))) },
  { weight: 4, arbitrary: fc.tuple(name, attributes).map(([at, more]) => directory(at, dir(at, more))) },
  { weight: 1, arbitrary: attributes.map((more) => directory('', dir('./', more))) },
  { weight: 1, arbitrary: fc.tuple(name, name).map(([at, to]) => other(at, symlink(at, `/${to}`))) },
  {
    weight: 1,
    arbitrary: name.map((at) => at.replace(/[^/]*$/, '.wh.$&')).map((at) => other(at, file(at))),
  },
  { weight: 1, arbitrary: name.map((at) => `${at}/.wh..wh..opq`).map((at) => other(at, file(at))) },
)
/** What is something else in the place of a directory that other entries are in is no layer that tools make. */
const isPlain = (entries: readonly Named[]) =>
  entries.every(({ at, isDirectory }) => isDirectory || !entries.some((one) => one.at.startsWith(`${at}/`)))
const layers = fc.array(
  fc
    .array(entry, { maxLength: 6 })
    .filter(isPlain)
    .map((entries) => tarOf(...entries.map(({ bytes }) => bytes))),
  { minLength: 1, maxLength: 4 },
)

it('a lazy reader of a conversion shows what a pull of its source does, whatever lies over each other', async () => {
  await fc.assert(
    fc.asyncProperty(layers, fc.boolean(), name, async (archives, lossless, wanted) => {
      const source = await Promise.all(archives.map((archive) => listTree(piecesOf(archive), limits)))
      const format = lossless ? { externalToc: true, lossless } : {}
      const converted = await Promise.all(
        archives.map(async (archive, i) => {
          const lower = archives.slice(0, i).reverse()
          const made = lossless
            ? await streamedLayer(archive, { format, lower })
            : await convertLayer(archive, [wanted], { format, lower })
          const { tocDigest, diffId, externalToc } = made.result
          const toc = externalToc && { externalToc: Buffer.from(externalToc) }
          return (await verifyEStargzBlob(piecesOf(made.blob), { limits, tocDigest, diffId, ...toc })).tree
        }),
      )
      const [pulled, lazy] = [new RootTree(source, 'pulled', limits), new RootTree(converted, 'lazy', limits)]
      expect(compareTrees(pulled, lazy)).toEqual([])
    }),
    { numRuns: 60 },
  )
})
