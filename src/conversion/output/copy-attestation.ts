import { type Descriptor, parseManifestOrIndex } from '../../oci/documents.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import { withSide } from '../errors.ts'

/**
 * Copies an attestation manifest with its blobs, unchanged.
 * @returns false if the registry of the source does not have the manifest (404)
 */
export async function copyAttestation(
  attestation: Descriptor,
  source: Repository,
  target: Repository,
  signal: AbortSignal,
): Promise<boolean> {
  const fetched = await source.getManifest(attestation.digest, { signal }).catch((error: unknown) => {
    if (error instanceof RegistryError && error.status === 404) return undefined
    return withSide('source', () => Promise.reject(error))
  })
  if (fetched === undefined) return false
  const { descriptor, bytes } = fetched
  const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${attestation.digest}`)
  const blobs = document.kind === 'manifest' ? [document.manifest.config, ...document.manifest.layers] : []
  const mountFrom = source.host === target.host ? { mountFrom: source.repository } : {}
  for (const blob of blobs) {
    await target.pushBlob(blob, () => source.openBlob(blob, { signal }), { ...mountFrom, signal })
  }
  await target.putManifest(bytes, descriptor.mediaType, attestation.digest, { signal })
  return true
}
