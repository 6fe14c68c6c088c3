import { z } from 'zod'
import { Digest } from '../oci/digest-schema.ts'
import { isPlatformText } from '../oci/platform.ts'
import { ReferenceText } from '../oci/reference.ts'
import type { RecordEntry } from './model.ts'
import { RecordUse } from './resolve/record-use.ts'

/** What a record is held against. */
export const EvaluationRequest = z
  .strictObject({
    image: ReferenceText.describe('The image, eStargz or not; no layer of it is converted.'),
    platforms: z
      .array(z.string().refine(isPlatformText, 'a platform is os/architecture or os/architecture/variant'))
      .min(1)
      .max(50)
      .optional()
      .describe('Platforms to take from an index; left out: all of them.'),
    interpreters: z
      .boolean()
      .optional()
      .describe(
        'Whether interpreters that the kernel opens for recorded programs are placed, too; default true.',
      ),
  })
  .meta({
    id: 'EvaluationRequest',
    description: 'An image to hold a record against.',
    examples: [{ image: 'registry.example/team/app:1.1' }],
  })
export type EvaluationRequest = z.infer<typeof EvaluationRequest>

/** What a record is worth in an image. */
export const RecordEvaluation = z
  .object({
    image: z.string().describe('The image, by digest.'),
    images: z.array(
      z.object({ platform: z.string(), digest: Digest.describe('Of the manifest.'), record: RecordUse }),
    ),
  })
  .meta({ id: 'RecordEvaluation', description: 'What a record is worth in an image, without a conversion.' })
export type RecordEvaluation = z.infer<typeof RecordEvaluation>

/** How much of an uploaded record the profiled image has. */
export const FoundInImage = z
  .object({
    image: z.string().optional().describe('The image, by digest.'),
    platforms: z
      .array(
        z.object({
          platform: z.string(),
          paths: z.int().describe('Different recorded paths and globs.'),
          found: z.int().describe('Those of them that the image has.'),
        }),
      )
      .optional(),
    warning: z.string().optional().describe('What may be wrong, when the image has none of the paths.'),
    unknown: z.string().optional().describe('Why it cannot be told. The record is stored all the same.'),
  })
  .meta({
    id: 'FoundInImage',
    description: 'How many of the recorded paths the profiled image has.',
    examples: [{ platforms: [{ platform: 'linux/amd64', paths: 210, found: 208 }] }],
  })
export type FoundInImage = z.infer<typeof FoundInImage>

/** What is left of a record when it is applied to another image. */
export type RetargetedEntries = {
  /** By digest of the platform's own manifest. */
  readonly image: string
  readonly platform: string
  readonly entries: RecordEntry[]
  readonly use: RecordUse
}
