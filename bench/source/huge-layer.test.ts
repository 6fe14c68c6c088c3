import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { runProgram } from '../../test/support/run-program.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { dir, file, symlink, buildTar } from '../../test/support/images/build-tar.ts'
import { HugeLayer } from './huge-layer.ts'

it('makes a gzip file of one archive and copies of the files of another', async () => {
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
      // No room for the folder of a copy.
      file(`./${'n'.repeat(95)}`, 'n'),
      file('./y', 'y'),
    ),
  )

  const layer = new HugeLayer()
  const packed = await buffer(layer.generate(once, repeated, 20_000))

  const plain = gunzipSync(packed)
  expect(layer.uncompressedBlob()).toEqual({ digest: digestOf(plain), size: plain.length })
  const archive = join(folder.path, 'layer.tar')
  await writeFile(archive, plain)
  const names = (await runProgram('tar', '-tf', archive)).trim().split('\n')
  const copies = [1, 2, 3].flatMap((copy) => [`./copy-${copy}/lib/x`, `./copy-${copy}/y`])
  expect(names).toEqual(['./etc/', './etc/passwd', './a', ...copies.slice(0, -1)])
  expect(await runProgram('tar', '-xOf', archive, './copy-2/lib/x')).toBe(large)
})
