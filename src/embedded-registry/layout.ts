import { open } from 'node:fs/promises'
import { z } from 'zod'
import { DocumentError, parseDocument } from '../oci/documents.ts'
import { OCI_INDEX } from '../oci/media-types.ts'
import { isTag } from '../oci/reference.ts'
import { ContentDigest } from './content-digest.ts'
import { failedWith } from './errors.ts'

/** OCI image-layout 1.0, "oci-layout file". */
export const LAYOUT_MARK = '{"imageLayoutVersion":"1.0.0"}'
/** OCI image-spec 1.1 "Pre-Defined Annotation Keys": how an image layout names an entry. */
const REF_NAME = 'org.opencontainers.image.ref.name'
/** On an entry whose manifest has a subject, so that referrers are found without opening every manifest. */
const SUBJECT = 'record-broker.subject'

/** What `index.json` says of one manifest. */
export type ManifestEntry = {
  readonly mediaType: string
  readonly size: number
  readonly subject?: ContentDigest
}

/** The manifests of a repository, and its tags, each the name of one of them. */
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

/** Reads the bytes of an `index.json`. @throws DocumentError */
export function parseLayout(bytes: Uint8Array, what: string): Layout {
  const manifests = new Map<ContentDigest, ManifestEntry>()
  const tags = new Map<string, ContentDigest>()
  for (const { mediaType, digest, size, annotations } of parseDocument(LayoutIndex, bytes, what).manifests) {
    const subject = annotations?.[SUBJECT]
    if (subject !== undefined && !ContentDigest.safeParse(subject).success)
      throw new DocumentError(`${what}: ${digest}: the annotation ${SUBJECT} is no digest`)
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

/** The text of `index.json`: an entry per tag, and one without a name for each manifest that has no tag. */
export function formatLayout({ manifests, tags }: Layout): string {
  const names = new Map<ContentDigest, string[]>()
  for (const [tag, digest] of tags) names.set(digest, [...(names.get(digest) ?? []), tag])
  const entries = [...manifests].flatMap(([digest, { mediaType, size, subject }]) =>
    (names.get(digest) ?? [undefined]).map((name) => {
      const annotations = {
        ...(name !== undefined && { [REF_NAME]: name }),
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

/** How many repositories' indexes are kept parsed. */
const CACHED_LAYOUTS = 256

/** Reads `index.json` files, parsing each again only when the file is another one. */
export class LayoutReader {
  readonly #cache = new Map<string, { stamp: string; layout: Layout }>()

  /** The layout in this file; undefined when there is none. @throws DocumentError */
  async read(path: string): Promise<Layout | undefined> {
    const handle = await open(path, 'r').catch((error: unknown) => {
      if (failedWith(error, 'ENOENT')) return undefined
      throw error
    })
    if (handle === undefined) return undefined
    try {
      const { ino, mtimeNs, size } = await handle.stat({ bigint: true })
      const stamp = `${ino} ${mtimeNs} ${size}`
      const known = this.#cache.get(path)
      this.#cache.delete(path)
      const layout = known?.stamp === stamp ? known.layout : parseLayout(await handle.readFile(), path)
      this.#cache.set(path, { stamp, layout })
      for (const oldest of this.#cache.keys()) {
        if (this.#cache.size <= CACHED_LAYOUTS) break
        this.#cache.delete(oldest)
      }
      return layout
    } finally {
      await handle.close()
    }
  }
}
