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

/** The Accept header of manifest requests: registries respond with 404 for a type that is not listed. */
export const MANIFEST_TYPES = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX] as const

/** Whether a media type is that of an index, which Docker calls a manifest list. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_INDEX
}

/** Whether a media type is that of an image manifest. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST
}

/**
 * Other media types of image configs: old registries and clients wrote them, and docker accepts them as
 * images (moby `daemon/internal/distribution/registry.go`, `defaultImageTypes`). Other documents have these
 * types as well.
 */
const AMBIGUOUS_CONFIG_TYPES = ['application/octet-stream', 'application/json', 'text/html', '']

/** Whether a config with this media type belongs to a container image. */
export function isImageConfigType(mediaType: string): 'yes' | 'perhaps' | 'no' {
  if (mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG) return 'yes'
  return AMBIGUOUS_CONFIG_TYPES.includes(mediaType) ? 'perhaps' : 'no'
}

/**
 * Whether registries may be forbidden to store a layer, which may then be stored elsewhere (image-spec 1.1
 * "Non-Distributable Layers", and Docker's foreign layers).
 */
export function isNonDistributable(mediaType: string): boolean {
  return /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/.test(
    mediaType,
  )
}

/** The compression of a layer. */
export type LayerCompression = 'none' | 'gzip' | 'zstd'

/**
 * Returns the compression that a layer's media type declares, or undefined for the media type of something
 * else. Includes the deprecated non-distributable types, which differ in name only.
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
