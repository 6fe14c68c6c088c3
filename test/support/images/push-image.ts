import { gzipSync } from 'node:zlib'
import { digestOf } from '../../../src/oci/digest.ts'
import type { Descriptor } from '../../../src/oci/documents.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../src/oci/media-types.ts'
import type { Repository } from '../../../src/registry/repository.ts'

/** A layer of a test image. */
export type TestLayer = {
  /** The uncompressed archive. */
  readonly tar: Buffer
  readonly mediaType?: string
  /** The default is gzip. */
  readonly compress?: (tar: Buffer) => Buffer
  readonly annotations?: Record<string, string>
  /** Further fields of the layer's descriptor. */
  readonly descriptorFields?: Record<string, unknown>
}

export type TestImage = {
  readonly layers: readonly TestLayer[]
  readonly architecture?: string
  /** Further fields of the manifest. */
  readonly manifestFields?: Record<string, unknown>
  /** Further fields of the config. */
  readonly configFields?: Record<string, unknown>
  /** Returns the text of the config, in place of the generated one. */
  readonly configText?: (diffIds: readonly string[]) => string
  /** Returns further fields of the config's descriptor. */
  readonly configDescriptorFields?: (config: Buffer) => Record<string, unknown>
}

/**
 * Pushes an image by its tag, or by its digest if no tag is given. Returns the descriptor of the manifest.
 */
export async function pushImage(repository: Repository, image: TestImage, tag?: string): Promise<Descriptor> {
  const layers: Descriptor[] = []
  for (const {
    tar,
    mediaType = OCI_LAYER_GZIP,
    compress = gzipSync,
    annotations,
    descriptorFields,
  } of image.layers) {
    const blob = await repository.pushBytes(compress(tar))
    layers.push({ mediaType, ...blob, ...(annotations && { annotations }), ...descriptorFields })
  }
  const architecture = image.architecture ?? 'amd64'
  const diffIds = image.layers.map(({ tar }) => digestOf(tar))
  const config = Buffer.from(
    image.configText?.(diffIds) ??
      JSON.stringify({
        architecture,
        os: 'linux',
        config: { Cmd: ['/bin/sh'] },
        rootfs: { type: 'layers', diff_ids: diffIds },
        history: [
          ...image.layers.map((_, i) => ({ created_by: `step ${i}` })),
          { created_by: 'ENV', empty_layer: true },
        ],
        ...image.configFields,
      }),
  )
  const pushed = await repository.pushBytes(config)
  const configDescriptor = { mediaType: OCI_CONFIG, ...pushed, ...image.configDescriptorFields?.(config) }
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: configDescriptor,
    layers,
    ...image.manifestFields,
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  const digest = digestOf(bytes)
  await repository.putManifest(bytes, manifest.mediaType, tag ?? digest)
  return {
    mediaType: manifest.mediaType,
    digest,
    size: bytes.length,
    platform: { os: 'linux', architecture },
  }
}

/** Pushes an index of manifests. Returns its descriptor. */
export async function pushIndex(
  repository: Repository,
  manifests: readonly Descriptor[],
  tag: string,
  fields: Record<string, unknown> = {},
): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests, ...fields }))
  await repository.putManifest(bytes, OCI_INDEX, tag)
  return { mediaType: OCI_INDEX, digest: digestOf(bytes), size: bytes.length }
}
