import { allOrAbort } from '../concurrency/all-or-abort.ts'
import type { Digest } from '../oci/digest.ts'
import type { Descriptor } from '../oci/documents.ts'
import { assembleIndex, assembleTocImage } from './assemble.ts'
import { copyAttestation } from './attestations.ts'
import type { ConvertedImage } from './convert-image.ts'
import type { OpenedReference } from './image.ts'
import type { Target } from './target.ts'

/** Pushes the image of tables of contents that lie outside: before the image that cannot be read without them. */
export async function pushTocImage(
  converted: readonly ConvertedImage[],
  target: Target,
  signal: AbortSignal,
): Promise<{ reference: string; digest: Digest }> {
  const tables = new Map<Digest, { digest: Digest; size: number }>()
  for (const { layers } of converted) {
    for (const { digest, externalToc } of layers) if (externalToc) tables.set(digest, externalToc)
  }
  const { config, manifest } = assembleTocImage(tables)
  await target.repository.pushBytes(config.bytes, { signal })
  await target.moveTag(manifest, signal)
  return { reference: target.name, digest: manifest.descriptor.digest }
}

/** Pushes everything that has no tag, then moves the tag. Answers what the tag stands for now. */
export async function pushImages(
  opened: OpenedReference,
  converted: readonly ConvertedImage[],
  attestations: readonly Descriptor[],
  target: Target,
  signal: AbortSignal,
): Promise<Descriptor> {
  await allOrAbort(converted, signal, (one, _, either) =>
    target.repository.pushBytes(one.config.bytes, { signal: either }),
  )
  if (opened.document.kind === 'manifest') {
    const [only] = converted
    if (!only) throw new RangeError('a manifest is one image')
    await target.moveTag(only.manifest, signal)
    return only.manifest.descriptor
  }
  for (const { manifest } of converted) await target.putByDigest(manifest, signal)
  for (const attestation of attestations) {
    await copyAttestation(attestation, opened.repository, target.repository, signal)
  }
  const index = assembleIndex(
    opened.document.index,
    new Map(converted.map((one) => [one.image.descriptor.digest, one.manifest.descriptor])),
    new Set(attestations.map(({ digest }) => digest)),
  )
  await target.moveTag(index, signal)
  return index.descriptor
}
