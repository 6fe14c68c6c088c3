import type { Digest } from '../oci/digest.ts'
import { isIndexType } from '../oci/media-types.ts'
import { parseReference, type Reference } from '../oci/reference.ts'
import type { PublishedImage } from '../records/images/record-publisher.ts'
import type { CheckQueue } from './check-queue.ts'
import type { ConversionIndex, FinishedConversion } from './conversions/conversion-index.ts'
import type { ImageWriter, SeenImage } from './image-writer.ts'
import type { RepositoryProjects } from './repository-projects.ts'

/** Tells the catalogue what this broker did in registries. No request to a registry is needed for it. */
export class CatalogueFeed {
  readonly #writer: ImageWriter
  readonly #conversions: ConversionIndex
  readonly #checks: CheckQueue
  readonly #projects: RepositoryProjects

  constructor({
    writer,
    conversions,
    checks,
    projects,
  }: {
    readonly writer: ImageWriter
    readonly conversions: ConversionIndex
    readonly checks: CheckQueue
    readonly projects: RepositoryProjects
  }) {
    this.#writer = writer
    this.#conversions = conversions
    this.#checks = checks
    this.#projects = projects
  }

  /** Adds a record image that a project published just now, and the image that it belongs to. */
  async addPublication(
    { reference, digest, summary, subject, subjectReference }: PublishedImage,
    project: string,
  ): Promise<void> {
    const { tag: _, ...described } = summary
    const images: SeenImage[] = [
      {
        reference: parseReference(reference),
        digest,
        content: { kind: 'record', ...described },
        isRead: true,
        isCompared: true,
      },
    ]
    if (subject && subjectReference) {
      const { mediaType } = subject
      images.push({
        reference: subjectReference,
        digest: subject.digest,
        content: { kind: isIndexType(mediaType) ? 'index' : 'image', mediaType },
        isRead: false,
        isCompared: true,
      })
      // The platforms of an index are known once its manifest was read.
      await this.#checks.add([subjectReference])
    }
    await this.#projects.noteWritten(parseReference(reference), project)
    if (subjectReference) await this.#projects.noteRead(subjectReference, project)
    await this.#writer.put(images)
  }

  /** Adds a conversion that succeeded just now. */
  async addConversion(conversion: FinishedConversion): Promise<void> {
    const added = await this.#conversions.put(conversion, { isJustFinished: true })
    if (!added) return
    await this.#projects.noteWritten(added.target, conversion.project)
    await this.#projects.noteRead(added.source, conversion.project)
    await this.#writer.put(added.images)
    await this.#checks.add(added.attached.map(parseReference))
  }

  /** Removes record images that were deleted just now, with all of their tags. */
  async removeManifests(
    images: readonly { readonly reference: string; readonly digest: Digest }[],
  ): Promise<void> {
    for (const { reference, digest } of images) {
      await this.#writer.removeManifest(parseReference(reference), digest)
    }
  }

  /** Notes references whose registry reports that they changed. They are compared in the background. */
  async addChanged(references: readonly Reference[]): Promise<void> {
    await this.#checks.add(references)
  }
}
