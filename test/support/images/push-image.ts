import { gzipSync } from 'node:zlib'
import { digestOf } from '../../../src/oci/digest.ts'
import type { Descriptor } from '../../../src/oci/documents.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../src/oci/media-types.ts'
import type { Repository } from '../../../src/registry/repository.ts'

/** A layer of a test image: its plain tar, and how it is packed. */
export type TestLayer = {
  readonly tar: Buffer
  readonly mediaType?: string
  /** Default: gzip. */
  readonly compress?: (tar: Buffer) => Buffer
  readonly annotations?: Record<string, string>
  /** Further members of the descriptor. */
  readonly descriptorFields?: Record<string, unknown>
}

export type TestImage = {
  readonly layers: readonly TestLayer[]
  readonly architecture?: string
  /** Further fields of the manifest. */
  readonly manifestFields?: Record<string, unknown>
  /** Further fields of the config. */
  readonly configFields?: Record<string, unknown>
  /** The config as it is written, in place of the one that is made. */
  readonly configText?: (diffIds: readonly string[]) => string
  /** Further members of the descriptor of the config. */
  readonly configDescriptorFields?: (config: Buffer) => Record<string, unknown>
}

/** Pushes an image of these layers; by its digest where no tag is given. */
export async function pushImage(repository: Repository, image: TestImage, tag?: string): Promise<Descriptor> {
  const layers: Descriptor[] = []
  for (const { tar, mediaType = OCI_LAYER_GZIP, compress: pack = gzipSync, annotations, descriptorFields: place } of image.layers) {
    const blob = await repository.pushBytes(pack(tar))
    layers.push({ mediaType, ...blob, ...(annotations && { annotations }), ...place })
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
  const configPlace = { mediaType: OCI_CONFIG, ...pushed, ...image.configDescriptorFields?.(config) }
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: configPlace,
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

/** Pushes an index of these manifests. */
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
