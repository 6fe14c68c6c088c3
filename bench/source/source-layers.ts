import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from '../../test/support/cache-folder.ts'
import { runProgram } from '../../test/support/run-program.ts'

/** The Debian packages whose files are the layers: about 1 GB uncompressed in total. */
const LAYERS = {
  'many small files': ['golang-1.19-src', 'libboost1.81-dev', 'python3-django', 'perl-modules-5.36'],
  'few large files': ['libllvm15', 'libllvm14', 'libclang-cpp14', 'firefox-esr'],
}

/** A layer as an uncompressed archive. */
export type SourceLayer = { readonly name: keyof typeof LAYERS; readonly archivePath: string }

/** Builds the layers from packages that apt downloads. They are cached in the user's cache folder. */
export async function prepareLayers(): Promise<SourceLayer[]> {
  const folder = join(cacheFolder(), 'bench')
  await mkdir(folder, { recursive: true })
  const layers: SourceLayer[] = []
  for (const name of Object.keys(LAYERS) as (keyof typeof LAYERS)[]) {
    const archivePath = join(folder, `${name.replaceAll(' ', '-')}.tar`)
    if (!existsSync(archivePath)) await buildLayer(archivePath, LAYERS[name])
    layers.push({ name, archivePath })
  }
  return layers
}

/** @throws RangeError if there is no such layer */
export function getLayer(layers: readonly SourceLayer[], name: SourceLayer['name']): SourceLayer {
  const layer = layers.find((candidate) => candidate.name === name)
  if (layer === undefined) throw new RangeError(`there is no layer of ${name}`)
  return layer
}

async function buildLayer(archivePath: string, packages: readonly string[]): Promise<void> {
  const work = `${archivePath}.work`
  await rm(work, { recursive: true, force: true })
  await mkdir(work)
  await runProgram('bash', '-c', 'cd "$0" && apt-get download -qq "$@"', work, ...packages)
  const archive = join(work, 'layer.tar')
  await runProgram('tar', '-cf', archive, '-T', '/dev/null')
  for (const file of (await readdir(work)).filter((name) => name.endsWith('.deb')).toSorted()) {
    const part = join(work, 'part.tar')
    await runProgram('bash', '-c', 'dpkg-deb --fsys-tarfile "$0" >"$1"', join(work, file), part)
    await runProgram('tar', '-Af', archive, part)
  }
  await rename(archive, archivePath)
  await rm(work, { recursive: true, force: true })
}
