import { type Descriptor, parseManifestOrIndex } from '../../oci/documents.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import { withSide } from '../errors.ts'

/** Copies an attestation manifest with its blobs, unchanged. False: the source's registry does not have it (404). */
export async function copyAttestation(
  attestation: Descriptor,
  source: Repository,
  target: Repository,
  signal: AbortSignal,
): Promise<boolean> {
  const read = () => source.manifest(attestation.digest, { signal })
  const found = await read().catch((error: unknown) => {
    if (error instanceof RegistryError && error.status === 404) return undefined
    return withSide('source', () => Promise.reject(error))
  })
  if (found === undefined) return false
  const { descriptor, bytes } = found
  const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${attestation.digest}`)
  const blobs = document.kind === 'manifest' ? [document.manifest.config, ...document.manifest.layers] : []
  const mountFrom = source.host === target.host ? { mountFrom: source.repository } : {}
  for (const blob of blobs) {
    await target.pushBlob(blob, () => source.blob(blob, { signal }), { ...mountFrom, signal })
  }
  await target.putManifest(bytes, descriptor.mediaType, attestation.digest, { signal })
  return true
}
