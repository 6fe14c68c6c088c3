import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Descriptor } from '../src/oci/documents.ts'
import { parseReference } from '../src/oci/reference.ts'
import { runProgram } from '../test/support/run-program.ts'
import { Containerd } from '../test/support/peers/containerd.ts'
import { findProgram } from '../test/support/peers/peers.ts'
import type { ConversionMeasurement } from './conversions.ts'
import { measure } from './measure/measure.ts'
import type { SourceImage } from './source/source-image.ts'

const NEEDED = ['ctr-remote', 'containerd', 'skopeo']

/** Why ctr-remote cannot be measured here. */
export function missingForCtrRemote(): string | undefined {
  const missing = NEEDED.filter((program) => findProgram(program) === undefined)
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}`
}

/**
 * Converts with ctr-remote, from and to containerd's content store: neither download nor upload counts, nor what
 * containerd itself uses.
 */
export async function convertByCtrRemote(
  { reference }: SourceImage,
  level: number,
  signal: AbortSignal,
): Promise<ConversionMeasurement> {
  await using containerd = await Containerd.start()
  const name = `${parseReference(reference).host}/bench:source`
  await importImage(containerd, reference, name)
  const address = ['--address', `${containerd.folder}/containerd.sock`, '--namespace', 'test']
  const options = ['--oci', '--estargz', '--estargz-compression-level', String(level)]
  const target = `${name}-converted`
  const { used } = await measure(
    ['ctr-remote', ...address, 'image', 'convert', ...options, name, target],
    signal,
  )
  return { usage: used, bytes: await layerBytes(containerd, target) }
}

async function importImage(containerd: Containerd, reference: string, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'import-'))
  try {
    const archive = join(folder, 'image.tar')
    await runProgram(
      'skopeo',
      'copy',
      '-q',
      '--src-tls-verify=false',
      `docker://${reference}`,
      `oci-archive:${archive}`,
    )
    await containerd.ctr('image', 'import', '--no-unpack', '--index-name', name, archive)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Document = { readonly manifests?: readonly Descriptor[]; readonly layers?: readonly Descriptor[] }

/** The sizes of an image's layers, with those of all manifests where the image is an index. */
async function layerBytes(containerd: Containerd, name: string): Promise<number> {
  const images = (await containerd.ctr('image', 'list', `name==${name}`)).split('\n')
  const digest = /sha256:[0-9a-f]{64}/.exec(images[1] ?? '')?.[0]
  if (digest === undefined) throw new Error(`containerd does not list ${name}`)
  const sizeOf = async (digest: string): Promise<number> => {
    const { manifests = [], layers = [] } = JSON.parse(
      await containerd.ctr('content', 'get', digest),
    ) as Document
    const sizes = await Promise.all(manifests.map((one) => sizeOf(one.digest)))
    return [...sizes, ...layers.map(({ size }) => size)].reduce((sum, size) => sum + size, 0)
  }
  return sizeOf(digest)
}
