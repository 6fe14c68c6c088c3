import { z } from 'zod'
import type { ConversionRelation } from '../../catalogue/conversions/conversion-relation.ts'
import type { CataloguePage, ImageRelations, ListedImage } from '../../catalogue/listed-images.ts'
import type { ItemCount } from '../../db/terms/term-query.ts'
import { Digest } from '../../oci/digest-schema.ts'
import { isoTime, Timestamp } from '../parameters.ts'
import { EXAMPLE_DIGEST, EXAMPLE_ID } from '../records/view.ts'
import {
  cataloguePage,
  pageFields,
  RecordImagePage,
  recordImagePage,
  Total,
  totalView,
} from './record-image-view.ts'

const ConversionRelationView = z
  .object({
    conversionId: z
      .string()
      .optional()
      .describe('The latest conversion with this result. Absent if it is of another project.'),
    source: z.string().describe('The converted image.'),
    sourceDigest: z.string(),
    target: z.string().describe('The tag that the result was pushed as.'),
    digest: z.string().describe('The digest of the result.'),
    recordImages: z.array(z.string()).describe('The record images that the conversion used.'),
    recordId: z.string().optional().describe('The stored record that the conversion used.'),
    images: z
      .array(z.object({ platform: z.string(), source: z.string(), digest: z.string() }))
      .describe('The digests of the platforms, at most 100.'),
    finishedAt: Timestamp,
  })
  .meta({
    id: 'ConversionRelation',
    description: 'Which image was made of which, and with which record.',
    examples: [
      {
        conversionId: EXAMPLE_ID,
        source: 'registry.example/team/app:1.0',
        sourceDigest: EXAMPLE_DIGEST,
        target: 'registry.example/team/app:1.0-esgz',
        digest: EXAMPLE_DIGEST,
        recordImages: ['registry.example/team/app:record-1.0-serve'],
        images: [],
        finishedAt: '2026-01-02T03:04:05.678Z',
      },
    ],
  })

const ImageSummary = z
  .object({
    reference: z.string(),
    digest: Digest,
    kind: z
      .enum(['image', 'index', 'artifact', 'unknown'])
      .describe('unknown: the manifest was not read yet, or is not understood; see `problem`.'),
    mediaType: z.string().optional(),
    artifactType: z.string().optional(),
    size: z.int().optional().describe('The size of all layers in bytes.'),
    estargz: z
      .boolean()
      .optional()
      .describe(
        'Whether every layer can be read lazily, according to its annotations. Absent if that is not known.',
      ),
    platforms: z
      .array(z.object({ platform: z.string().optional(), digest: Digest }))
      .optional()
      .describe('The manifests of an index, at most 100.'),
    subject: Digest.optional().describe('The digest of the manifest that the image refers to.'),
    problem: z.string().optional().describe('Why the manifest cannot be read.'),
    convertedFrom: ConversionRelationView.optional().describe(
      'The latest conversion that made the image, under this reference if one did.',
    ),
    latestConversion: ConversionRelationView.optional().describe(
      'The latest conversion of the image, under this reference if there is one.',
    ),
    recordImageCount: z
      .int()
      .describe('The number of record images that belong to this very image, up to 100.'),
    seenAt: Timestamp.describe('When the broker first saw this digest under this reference.'),
    comparedAt: Timestamp.optional().describe(
      'When it was last compared with the registry. Absent if it was not yet.',
    ),
  })
  .meta({
    id: 'ImageSummary',
    description: 'An image in a registry.',
    examples: [
      {
        reference: 'registry.example/team/app:1.0',
        digest: EXAMPLE_DIGEST,
        kind: 'image',
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        size: 31_234_567,
        estargz: false,
        recordImageCount: 2,
        seenAt: '2026-01-02T03:04:05.678Z',
        comparedAt: '2026-01-03T00:00:00.000Z',
      },
    ],
  })

export const ImagePage = z
  .object({ items: z.array(ImageSummary), ...pageFields })
  .meta({ id: 'ImagePage', description: 'A page of images, those first that were seen last.' })

const ConversionRelations = z
  .object({ items: z.array(ConversionRelationView), ...Total })
  .meta({ id: 'ConversionRelations', description: 'Conversions, newest first.' })

export const ImageRelationsView = z
  .object({
    image: z.string(),
    digests: z
      .array(z.string())
      .describe('The digests that the image is known by: its own, then those of its platforms.'),
    comparedAt: Timestamp.optional().describe(
      'When the image was last compared with its registry. Absent if it is not known, or named by its digest.',
    ),
    recordImages: RecordImagePage.describe('The record images that belong to the image, best match first.'),
    conversions: ConversionRelations.describe('The conversions that made other images of it.'),
    convertedFrom: ConversionRelations.describe('The conversions that made it.'),
    usedBy: ConversionRelations.describe('The conversions that used it, if it is a record image.'),
  })
  .meta({
    id: 'ImageRelations',
    description: 'What belongs to an image: record images, conversions of it, and conversions that made it.',
  })

export function imagePage(page: CataloguePage<ListedImage>): z.infer<typeof ImagePage> {
  return cataloguePage(page, imageSummary)
}

export function imageRelationsView(
  image: string,
  { digests, comparedAt, recordImages, conversions, convertedFrom, usedBy }: ImageRelations,
): z.infer<typeof ImageRelationsView> {
  return {
    image,
    digests: [...digests],
    ...(comparedAt !== undefined && { comparedAt: isoTime(comparedAt) }),
    recordImages: recordImagePage(recordImages),
    conversions: conversionRelations(conversions),
    convertedFrom: conversionRelations(convertedFrom),
    usedBy: conversionRelations(usedBy),
  }
}

function conversionRelations({
  items,
  total,
}: {
  readonly items: ConversionRelation[]
  readonly total: ItemCount
}) {
  return { items: items.map(conversionRelation), ...totalView(total) }
}

function conversionRelation(relation: ConversionRelation): z.infer<typeof ConversionRelationView> {
  const { recordImages, images, finishedAt } = relation
  return {
    ...relation,
    recordImages: [...recordImages],
    images: [...images],
    finishedAt: isoTime(finishedAt),
  }
}

function imageSummary(image: ListedImage): z.infer<typeof ImageSummary> {
  const { reference, digest, kind, mediaType, artifactType, size, estargz, subject, problem } = image
  const { children, convertedFrom, latestConversion, recordImages, seenAt, comparedAt } = image
  return {
    reference,
    digest,
    kind,
    mediaType,
    artifactType,
    size,
    estargz,
    subject,
    problem,
    ...(children && {
      platforms: children.map(({ platform, digest: child }) => ({ platform, digest: child })),
    }),
    ...(convertedFrom && { convertedFrom: conversionRelation(convertedFrom) }),
    ...(latestConversion && { latestConversion: conversionRelation(latestConversion) }),
    recordImageCount: recordImages.count,
    seenAt: isoTime(seenAt),
    ...(comparedAt !== undefined && { comparedAt: isoTime(comparedAt) }),
  }
}
