import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import { DocumentError } from '../oci/document-error.ts'
import { parseDocument } from '../oci/documents.ts'
import { OCI_INDEX } from '../oci/media-types.ts'
import { isTag } from '../oci/reference.ts'
import { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'

/** The content of an `oci-layout` file (OCI image-layout 1.0). */
export const LAYOUT_FILE = '{"imageLayoutVersion":"1.0.0"}'
/** The name of an entry in an image layout (OCI image-spec 1.1 "Pre-Defined Annotation Keys"). */
const REF_NAME = 'org.opencontainers.image.ref.name'
/** The subject of an entry's manifest, stored so that referrers are found without opening every manifest. */
const SUBJECT = 'record-broker.subject'

/**
 * The most manifests and tags of a repository, together. Each push of a manifest writes the whole `index.json`, so this
 * bounds what one costs, for others as well.
 */
export const MAX_MANIFESTS_AND_TAGS = 10_000
/** As many entries are read or written before other requests have a turn. */
const ENTRIES_PER_TURN = 1000

/** A manifest as listed in `index.json`. */
export type ManifestEntry = {
  readonly mediaType: string
  readonly size: number
  readonly subject?: ContentDigest
}

/** The manifests of a repository, and the digest of each of its tags. */
export type Layout = {
  readonly manifests: ReadonlyMap<ContentDigest, ManifestEntry>
  readonly tags: ReadonlyMap<string, ContentDigest>
}

/** A layout that is being updated. */
export type LayoutDraft = { manifests: Map<ContentDigest, ManifestEntry>; tags: Map<string, ContentDigest> }

export const EMPTY_LAYOUT: Layout = { manifests: new Map(), tags: new Map() }

const LayoutIndex = z.looseObject({ manifests: z.array(z.unknown()) })
const LayoutEntry = z.looseObject({
  mediaType: z.string(),
  digest: ContentDigest,
  size: z.int().nonnegative(),
  annotations: z
    .looseObject({ [REF_NAME]: z.string().optional(), [SUBJECT]: ContentDigest.optional() })
    .optional(),
})

/** Parses an `index.json`. Names that are not valid tags are ignored. @throws DocumentError */
export async function parseLayout(bytes: Uint8Array, what: string): Promise<Layout> {
  const manifests = new Map<ContentDigest, ManifestEntry>()
  const tags = new Map<string, ContentDigest>()
  const entries = parseDocument(LayoutIndex, bytes, what).manifests
  for (const [index, entry] of entries.entries()) {
    if (index % ENTRIES_PER_TURN === ENTRIES_PER_TURN - 1) await setImmediate()
    const { mediaType, digest, size, annotations } = parseEntry(entry, `${what}: manifests.${index}`)
    const subject = annotations?.[SUBJECT]
    manifests.set(digest, { mediaType, size, ...(subject !== undefined && { subject }) })
    const name = annotations?.[REF_NAME]
    if (name !== undefined && isTag(name)) tags.set(name, digest)
  }
  return { manifests, tags }
}

function parseEntry(entry: unknown, what: string): z.infer<typeof LayoutEntry> {
  const parsed = LayoutEntry.safeParse(entry)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new DocumentError(`${what}.${issue?.path.join('.')}: ${issue?.message}`)
}

/** Formats an `index.json`: an entry for each tag, and one without a name for each manifest without a tag. */
export async function formatLayout({ manifests, tags }: Layout): Promise<string> {
  const tagsByDigest = new Map<ContentDigest, string[]>()
  for (const [tag, digest] of tags) {
    const others = tagsByDigest.get(digest)
    if (others) others.push(tag)
    else tagsByDigest.set(digest, [tag])
  }
  const entries: string[] = []
  for (const [digest, { mediaType, size, subject }] of manifests) {
    for (const tag of tagsByDigest.get(digest) ?? [undefined]) {
      if (entries.length % ENTRIES_PER_TURN === ENTRIES_PER_TURN - 1) await setImmediate()
      const annotations = {
        ...(tag !== undefined && { [REF_NAME]: tag }),
        ...(subject !== undefined && { [SUBJECT]: subject }),
      }
      const hasAnnotations = tag !== undefined || subject !== undefined
      entries.push(JSON.stringify({ mediaType, digest, size, ...(hasAnnotations && { annotations }) }))
    }
  }
  return `{"schemaVersion":2,"mediaType":${JSON.stringify(OCI_INDEX)},"manifests":[${entries.join(',')}]}`
}

/** Whether two layouts have the same manifests and tags. */
export function isSameLayout(one: Layout, other: Layout): boolean {
  return isSameMap(one.manifests, other.manifests, isSameEntry) && isSameMap(one.tags, other.tags)
}

function isSameEntry(one: ManifestEntry, other: ManifestEntry): boolean {
  return (
    one === other ||
    (one.mediaType === other.mediaType && one.size === other.size && one.subject === other.subject)
  )
}

function isSameMap<Value>(
  one: ReadonlyMap<string, Value>,
  other: ReadonlyMap<string, Value>,
  isSame: (one: Value, other: Value) => boolean = Object.is,
): boolean {
  if (one.size !== other.size) return false
  for (const [key, value] of one) {
    const otherValue = other.get(key)
    if (otherValue === undefined || !isSame(value, otherValue)) return false
  }
  return true
}

/**
 * Adds a manifest, with a tag if there is one.
 * @throws DistributionError DENIED if the layout grows beyond {@link MAX_MANIFESTS_AND_TAGS}
 */
export function addToLayout(
  draft: LayoutDraft,
  digest: ContentDigest,
  entry: ManifestEntry,
  tag: string | undefined,
): void {
  const before = draft.manifests.size + draft.tags.size
  draft.manifests.set(digest, entry)
  if (tag !== undefined) draft.tags.set(tag, digest)
  const after = draft.manifests.size + draft.tags.size
  if (after <= MAX_MANIFESTS_AND_TAGS || after === before) return
  const message = `the repository has ${before} manifests and tags (manifestsAndTags), and may have ${MAX_MANIFESTS_AND_TAGS}; delete some, or push to another repository`
  const detail = { bound: 'manifestsAndTags', limit: MAX_MANIFESTS_AND_TAGS, used: before }
  throw new DistributionError('DENIED', 403, message, { detail })
}
