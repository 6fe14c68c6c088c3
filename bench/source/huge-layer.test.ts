import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { buildTar, dir, file, symlink } from '../../test/support/images/build-tar.ts'
import { runProgram } from '../../test/support/run-program.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { HugeLayer } from './huge-layer.ts'

it('generates a gzip file of one archive and of copies of the files in another', async () => {
  await using folder = await temporaryFolder()
  const [once, repeated] = [join(folder.path, 'once.tar'), join(folder.path, 'repeated.tar')]
  await writeFile(once, buildTar(dir('./etc'), file('./etc/passwd', 'root'), symlink('./a', 'etc')))
  const large = 'large '.repeat(1000)
  await writeFile(
    repeated,
    buildTar(
      dir('./lib'),
      file('./lib/x', large),
      file('./lib/empty'),
      // The name is too long for the directory of a copy.
      file(`./${'n'.repeat(95)}`, 'n'),
      file('./y', 'y'),
    ),
  )

  const layer = new HugeLayer()
  const compressed = await buffer(layer.generate(once, repeated, 20_000))

  const uncompressed = gunzipSync(compressed)
  expect(layer.uncompressedBlob()).toEqual({ digest: digestOf(uncompressed), size: uncompressed.length })
  const archive = join(folder.path, 'layer.tar')
  await writeFile(archive, uncompressed)
  const names = (await runProgram('tar', '-tf', archive)).trim().split('\n')
  const copies = [1, 2, 3].flatMap((copy) => [`./copy-${copy}/lib/x`, `./copy-${copy}/y`])
  expect(names).toEqual(['./etc/', './etc/passwd', './a', ...copies.slice(0, -1)])
  expect(await runProgram('tar', '-xOf', archive, './copy-2/lib/x')).toBe(large)
})
