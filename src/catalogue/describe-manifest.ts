import { VerificationError } from '../bytes/verify.ts'
import {
  LAYER_DIGEST_ANNOTATION,
  MANIFEST_CHECKSUM_ANNOTATION,
  TOC_DIGEST_ANNOTATION,
} from '../conversion/output/assemble-image.ts'
import type { Digest } from '../oci/digest.ts'
import { DocumentError } from '../oci/document-error.ts'
import { type Index, type Manifest, parseManifestOrIndex } from '../oci/documents.ts'
import { isImageConfigType, layerCompression } from '../oci/media-types.ts'
import { formatPlatform } from '../oci/platform.ts'
import { describeRecordManifest } from '../records/images/list-record-images.ts'
import type { ManifestSource } from '../records/images/record-image-summary.ts'
import { RegistryError } from '../registry/errors.ts'
import type { FetchedManifest } from '../registry/manifests/get-manifest.ts'
import type { Abortable } from '../registry/repository.ts'
import { type Content, type ImageContent, MAX_CHILDREN } from './content.ts'

/** The images of an index that are read to learn whether they are eStargz. */
const MAX_READ_CHILDREN = 8

/** Codes of errors that reading the same manifest again would repeat. */
const LASTING_CODES = new Set(['TOO_LARGE', 'LIMIT_EXCEEDED', 'INVALID_RESPONSE'])

/**
 * Reads a manifest and describes it. A manifest that is not understood is described by its problem.
 * @returns undefined if it does not exist
 * @throws RegistryError if the registry fails or refuses
 */
export async function describeManifest(
  repository: ManifestSource,
  tagOrDigest: string,
  expected: Digest,
  options: Abortable,
): Promise<{ readonly digest: Digest; readonly content: Content } | undefined> {
  let digest = expected
  try {
    const fetched = await repository.getManifest(tagOrDigest, options)
    digest = fetched.descriptor.digest
    return { digest, content: await new Description(repository, options).describe(fetched) }
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return undefined
    if (!isLasting(error)) throw error
    return { digest, content: { kind: 'unknown', problem: error.message } }
  }
}

function isLasting(error: unknown): error is Error {
  if (error instanceof RegistryError) return LASTING_CODES.has(error.code)
  return error instanceof DocumentError || error instanceof VerificationError
}

class Description {
  readonly #repository: ManifestSource
  readonly #options: Abortable

  constructor(repository: ManifestSource, options: Abortable) {
    this.#repository = repository
    this.#options = options
  }

  async describe(fetched: FetchedManifest): Promise<Content> {
    const document = parse(fetched)
    return document.kind === 'manifest'
      ? this.#describeManifest(fetched, document.manifest)
      : this.#describeIndex(fetched, document.index)
  }

  async #describeManifest({ descriptor }: FetchedManifest, manifest: Manifest): Promise<Content> {
    const summary = await describeRecordManifest(this.#repository, { descriptor, manifest }, this.#options)
    if (summary) return { kind: 'record', ...summary }
    const isImage = manifest.layers.length > 0 && isImageConfigType(manifest.config.mediaType) !== 'no'
    const artifactType = manifest.artifactType || (isImage ? undefined : manifest.config.mediaType)
    return {
      kind: isImage && !manifest.artifactType ? 'image' : 'artifact',
      mediaType: descriptor.mediaType,
      size: manifest.layers.reduce((total, { size }) => total + size, 0),
      ...(artifactType && { artifactType }),
      ...(isImage && { estargz: isEstargz(manifest) }),
      ...commonFields(manifest),
    }
  }

  async #describeIndex({ descriptor }: FetchedManifest, index: Index): Promise<Content> {
    const children = index.manifests.slice(0, MAX_CHILDREN)
    const read = await this.#readChildren(children)
    const [only] = read
    // Some tools push a record image as an index with this manifest only.
    if (only && index.manifests.length === 1) {
      const content = await this.#describeManifest(only.fetched, only.manifest)
      if (content.kind === 'record') return content
    }
    const images = read.filter(({ isAttestation }) => !isAttestation).map(({ manifest }) => manifest)
    const isComplete = read.length === index.manifests.length && images.length > 0
    return {
      kind: index.artifactType ? 'artifact' : 'index',
      mediaType: descriptor.mediaType,
      ...(index.artifactType && { artifactType: index.artifactType }),
      ...(isComplete && {
        size: images.flatMap(({ layers }) => layers).reduce((total, { size }) => total + size, 0),
        estargz: images.every(isEstargz),
      }),
      children: children.map(({ digest, platform }) => ({
        digest,
        ...(platform && { platform: formatPlatform(platform) }),
      })),
      ...commonFields(index),
    }
  }

  /** Reads the manifests of a small index; none of a large one. */
  async #readChildren(children: Index['manifests']) {
    if (children.length > MAX_READ_CHILDREN) return []
    const read: { fetched: FetchedManifest; manifest: Manifest; isAttestation: boolean }[] = []
    for (const { digest, annotations } of children) {
      try {
        const fetched = await this.#repository.getManifest(digest, this.#options)
        const document = parse(fetched)
        if (document.kind !== 'manifest') continue
        const isAttestation = annotations?.['vnd.docker.reference.type'] !== undefined
        read.push({ fetched, manifest: document.manifest, isAttestation })
      } catch (error) {
        // An index may name manifests that its repository lacks.
        const isMissing = error instanceof RegistryError && error.code === 'NOT_FOUND'
        if (!isMissing && !isLasting(error)) throw error
      }
    }
    return read
  }
}

function parse({ descriptor, bytes }: FetchedManifest) {
  return parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`)
}

function commonFields({ subject, annotations }: Manifest | Index): Partial<ImageContent> {
  return { ...(subject && { subject: subject.digest }), ...(annotations && { annotations }) }
}

/** Whether every layer of an image names a table of contents. */
function isEstargz({ layers }: Manifest): boolean {
  const archives = layers.filter(({ mediaType }) => layerCompression(mediaType) !== undefined)
  return archives.length > 0 && archives.every(({ annotations }) => hasToc(annotations ?? {}))
}

function hasToc(annotations: Readonly<Record<string, string>>): boolean {
  // The layers of an image of external tables of contents belong to the layers of another image.
  if (annotations[LAYER_DIGEST_ANNOTATION] !== undefined) return false
  return (
    annotations[TOC_DIGEST_ANNOTATION] !== undefined ||
    annotations[MANIFEST_CHECKSUM_ANNOTATION] !== undefined
  )
}
