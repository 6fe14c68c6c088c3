import { type Descriptor, parseManifestOrIndex } from '../oci/documents.ts'
import type { Repository } from '../registry/repository.ts'
import { at } from './errors.ts'

/** Copies an attestation manifest with its blobs, unchanged. */
export async function copyAttestation(
  attestation: Descriptor,
  source: Repository,
  target: Repository,
  signal: AbortSignal,
): Promise<void> {
  const { descriptor, bytes } = await at('source', () => source.manifest(attestation.digest, { signal }))
  const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${attestation.digest}`)
  const blobs = document.kind === 'manifest' ? [document.manifest.config, ...document.manifest.layers] : []
  const mountFrom = source.host === target.host ? { mountFrom: source.repository } : {}
  for (const blob of blobs) {
    await target.pushBlob(blob, () => source.blob(blob, { signal }), { ...mountFrom, signal })
  }
  await target.putManifest(bytes, descriptor.mediaType, attestation.digest, { signal })
}
