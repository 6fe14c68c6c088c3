import type { Digest } from '../../oci/digest.ts'
import { formatReference } from '../../oci/reference.ts'
import type { RecordEntry } from '../../records/model.ts'
import { profiledDigest, tryParseReference } from '../../records/profiled-digest.ts'
import type { RecordOrigin } from '../../records/resolve/record-use.ts'
import type { ProfiledLayers } from '../layers/apply-task.ts'
import { type Image, type OpenedReference, openReference, readImages } from '../source/images.ts'
import { type ListingServices, listLayers } from '../source/list-layers.ts'
import type { ListedLayer } from '../source/listed-layer.ts'

/** Of a reason that a report tells: what a registry says can be long. */
const MAX_CHARACTERS = 1000

/** What a record says of the image that it was made of. */
export type Profiled = {
  readonly entries: readonly RecordEntry[]
  /** A reference or a digest; it may be anybody's text. */
  readonly image?: string | undefined
  readonly workload?: string | undefined
  /** When the record was made, RFC 3339. */
  readonly created?: string | undefined
  /** Of the profiled image, where nothing better is known. */
  readonly imageDigest?: Digest | undefined
  /** Why nothing is known of it. */
  readonly unknown?: string | undefined
  /** The record image that was chosen. */
  readonly from?: RecordOrigin | undefined
}

/** The record for an image of the source. */
export type RecordFor = (image: Image) => Profiled

/** The image that the record is held against. */
export type ComparisonTarget = {
  readonly opened: OpenedReference
  readonly image: Image
  readonly layers: readonly ListedLayer[]
}

/**
 * The profiled image of a record, for a comparison with another. It is known by its digest alone: a tag may have
 * moved since. What cannot be read is no failure, it is said.
 * @param scan whether layers without a table of contents are read whole
 */
export async function readProfiledImage(
  profiled: Profiled,
  against: ComparisonTarget,
  services: ListingServices,
  options: { readonly scan: boolean; readonly signal: AbortSignal },
): Promise<ProfiledLayers> {
  const { opened, image } = against
  if (profiled.unknown !== undefined) return { unknown: profiled.unknown }
  const known = profiledDigest(profiled.image, profiled.entries) ?? profiled.imageDigest
  if (known === undefined) {
    return { unknown: 'the record names no digest of the profiled image; a tag may have moved since' }
  }
  const reference = tryParseReference(profiled.image) ?? opened.reference
  const name = formatReference({ host: reference.host, repository: reference.repository, digest: known })
  if (known === image.descriptor.digest || known === opened.descriptor.digest) {
    return { name, layers: 'same', manifestDigest: image.descriptor.digest }
  }
  try {
    const before = await openReference(services.registries, name, options.signal)
    const { images } = await readImages(before, undefined, services.tally, options.signal)
    const same =
      images.find(({ platform }) => platform === image.platform) ??
      (images.length === 1 ? images[0] : undefined)
    if (same === undefined) return { unknown: `${name} has no image for ${image.platform}` }
    const listed = await listLayers(before.repository, same, services, options)
    if (listed === undefined) {
      return { unknown: `${name} is no eStargz image; an evaluation of the record reads it and compares` }
    }
    return { name, layers: listed, manifestDigest: same.descriptor.digest }
  } catch (error) {
    options.signal.throwIfAborted()
    // What has no code is a defect.
    if (typeof (error as { code?: unknown }).code !== 'string') throw error
    return { unknown: `${name} could not be read: ${(error as Error).message}`.slice(0, MAX_CHARACTERS) }
  }
}
