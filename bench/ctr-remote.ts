import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Descriptor } from '../src/oci/documents.ts'
import { parseReference } from '../src/oci/reference.ts'
import { Containerd } from '../test/support/peers/containerd.ts'
import { findProgram } from '../test/support/peers/peers.ts'
import { runProgram } from '../test/support/run-program.ts'
import type { ConversionMeasurement } from './conversions.ts'
import { measure } from './measure/measure.ts'
import type { SourceImage } from './source/source-image.ts'

const REQUIRED_PROGRAMS = ['ctr-remote', 'containerd', 'skopeo']

/** Returns the reason if ctr-remote cannot be measured on this machine. */
export function missingForCtrRemote(): string | undefined {
  const missing = REQUIRED_PROGRAMS.filter((program) => findProgram(program) === undefined)
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}`
}

/**
 * Measures a conversion by ctr-remote in the content store of containerd. The measurement includes neither
 * download nor upload, nor the resources that containerd itself uses.
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
  const { usage } = await measure(
    ['ctr-remote', ...address, 'image', 'convert', ...options, name, target],
    signal,
  )
  return { usage, bytes: await readLayerBytes(containerd, target) }
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

/** Returns the total size of the layers of an image, or of all images of an index. */
async function readLayerBytes(containerd: Containerd, name: string): Promise<number> {
  const images = (await containerd.ctr('image', 'list', `name==${name}`)).split('\n')
  const digest = /sha256:[0-9a-f]{64}/.exec(images[1] ?? '')?.[0]
  if (digest === undefined) throw new Error(`containerd does not list ${name}`)
  const addSizes = async (digest: string): Promise<number> => {
    const { manifests = [], layers = [] } = JSON.parse(
      await containerd.ctr('content', 'get', digest),
    ) as Document
    const sizes = await Promise.all(manifests.map((manifest) => addSizes(manifest.digest)))
    return [...sizes, ...layers.map(({ size }) => size)].reduce((sum, size) => sum + size, 0)
  }
  return addSizes(digest)
}
