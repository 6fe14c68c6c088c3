import { z } from 'zod'
import { DocumentError } from '../oci/document-error.ts'
import { parseDocument } from '../oci/documents.ts'
import { OCI_INDEX } from '../oci/media-types.ts'
import { isTag } from '../oci/reference.ts'
import { ContentDigest } from './content-digest.ts'

/** The content of an `oci-layout` file (OCI image-layout 1.0). */
export const LAYOUT_FILE = '{"imageLayoutVersion":"1.0.0"}'
/** The name of an entry in an image layout (OCI image-spec 1.1 "Pre-Defined Annotation Keys"). */
const REF_NAME = 'org.opencontainers.image.ref.name'
/** The subject of an entry's manifest, stored so that referrers are found without opening every manifest. */
const SUBJECT = 'record-broker.subject'

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

export const EMPTY_LAYOUT: Layout = { manifests: new Map(), tags: new Map() }

const LayoutIndex = z.looseObject({
  manifests: z.array(
    z.looseObject({
      mediaType: z.string(),
      digest: ContentDigest,
      size: z.int().nonnegative(),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
  ),
})

/** Parses an `index.json`. Names that are not valid tags are ignored. @throws DocumentError */
export function parseLayout(bytes: Uint8Array, what: string): Layout {
  const manifests = new Map<ContentDigest, ManifestEntry>()
  const tags = new Map<string, ContentDigest>()
  for (const { mediaType, digest, size, annotations } of parseDocument(LayoutIndex, bytes, what).manifests) {
    const subject = annotations?.[SUBJECT]
    if (subject !== undefined && !ContentDigest.safeParse(subject).success)
      throw new DocumentError(`${what}: ${digest}: the annotation ${SUBJECT} is not a digest`)
    manifests.set(digest, {
      mediaType,
      size,
      ...(subject !== undefined && { subject: subject as ContentDigest }),
    })
    const name = annotations?.[REF_NAME]
    if (name !== undefined && isTag(name)) tags.set(name, digest)
  }
  return { manifests, tags }
}

/** Formats an `index.json`: an entry for each tag, and one without a name for each manifest without a tag. */
export function formatLayout({ manifests, tags }: Layout): string {
  const tagsByDigest = new Map<ContentDigest, string[]>()
  for (const [tag, digest] of tags) tagsByDigest.set(digest, [...(tagsByDigest.get(digest) ?? []), tag])
  const entries = [...manifests].flatMap(([digest, { mediaType, size, subject }]) =>
    (tagsByDigest.get(digest) ?? [undefined]).map((tag) => {
      const annotations = {
        ...(tag !== undefined && { [REF_NAME]: tag }),
        ...(subject !== undefined && { [SUBJECT]: subject }),
      }
      return {
        mediaType,
        digest,
        size,
        ...(Object.keys(annotations).length > 0 && { annotations }),
      }
    }),
  )
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries })
}
