/** Media types of OCI image-spec 1.1 and of Docker's image manifest v2 schema 2. */
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json'
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar'
export const OCI_LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip'
export const OCI_LAYER_ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd'
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json'
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json'
export const DOCKER_LAYER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip'

/** What a request for a manifest accepts: registries answer 404 for a type that is not listed. */
export const MANIFEST_TYPES = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX] as const

/** Whether a media type names an index (a "manifest list" in Docker's words). */
export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_INDEX
}

/** Whether a media type names an image manifest. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST
}

/**
 * What configs of images are called besides: old registries and clients wrote these, and docker takes them for images
 * (moby `daemon/internal/distribution/registry.go`, `defaultImageTypes`). Other documents are called so, too.
 */
const VAGUE_CONFIG_TYPES = ['application/octet-stream', 'application/json', 'text/html', '']

/** Whether a config of this media type is one of a container image: for sure, perhaps, or not at all. */
export function isImageConfigType(mediaType: string): 'yes' | 'perhaps' | 'no' {
  if (mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG) return 'yes'
  return VAGUE_CONFIG_TYPES.includes(mediaType) ? 'perhaps' : 'no'
}

/**
 * Whether registries may be forbidden to hold a layer, so that it may lie elsewhere (image-spec 1.1 "Non-Distributable
 * Layers", and Docker's).
 */
export function isNonDistributable(mediaType: string): boolean {
  return /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/.test(
    mediaType,
  )
}

/** How a layer's bytes are packed. */
export type LayerCompression = 'none' | 'gzip' | 'zstd'

/**
 * The compression that a layer's media type declares, or undefined for something that is not a layer.
 * Covers the deprecated non-distributable types, which differ in name only.
 */
export function layerCompression(mediaType: string): LayerCompression | undefined {
  if (
    mediaType === DOCKER_LAYER_GZIP ||
    mediaType === 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
  )
    return 'gzip'
  if (mediaType === 'application/vnd.docker.image.rootfs.diff.tar') return 'none'
  if (mediaType === 'application/vnd.docker.image.rootfs.diff.tar.zstd') return 'zstd'
  const oci = /^application\/vnd\.oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(gzip|zstd))?$/.exec(
    mediaType,
  )
  if (!oci) return undefined
  return (oci[1] as LayerCompression | undefined) ?? 'none'
}
