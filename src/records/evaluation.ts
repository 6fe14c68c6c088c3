import { z } from 'zod'
import { Digest } from '../oci/digest-schema.ts'
import { isPlatformText } from '../oci/platform.ts'
import { ReferenceText } from '../oci/reference.ts'
import type { RecordEntry } from './model.ts'
import { RecordUse } from './resolve/record-use.ts'

export const EvaluationRequest = z
  .strictObject({
    image: ReferenceText.describe('The image, eStargz or not; its layers are not converted.'),
    platforms: z
      .array(z.string().refine(isPlatformText, 'a platform is os/architecture or os/architecture/variant'))
      .min(1)
      .max(50)
      .optional()
      .describe('The platforms of an index to evaluate; default: all.'),
    interpreters: z
      .boolean()
      .optional()
      .describe(
        'Whether to also place the interpreters that the kernel opens for recorded programs; default: true.',
      ),
  })
  .meta({
    id: 'EvaluationRequest',
    description: 'The image in which to evaluate a record.',
    examples: [{ image: 'registry.example/team/app:1.1' }],
  })
export type EvaluationRequest = z.infer<typeof EvaluationRequest>

export const RecordEvaluation = z
  .object({
    image: z.string().describe('The image with its digest.'),
    images: z.array(
      z.object({
        platform: z.string(),
        digest: Digest.describe('The digest of the manifest.'),
        record: RecordUse,
      }),
    ),
  })
  .meta({
    id: 'RecordEvaluation',
    description: 'The effect of a record on an image, evaluated without a conversion.',
  })
export type RecordEvaluation = z.infer<typeof RecordEvaluation>

export const FoundInImage = z
  .object({
    image: z.string().optional().describe('The image with its digest.'),
    platforms: z
      .array(
        z.object({
          platform: z.string(),
          pathCount: z.int().describe('The number of distinct recorded paths and globs.'),
          foundCount: z.int().describe('The number of those that the image has.'),
        }),
      )
      .optional(),
    warning: z.string().optional().describe('The likely mistake, if the image has none of the paths.'),
    unknown: z.string().optional().describe('Why the number is unknown. The record is stored anyway.'),
  })
  .meta({
    id: 'FoundInImage',
    description: 'The number of recorded paths that the profiled image has.',
    examples: [{ platforms: [{ platform: 'linux/amd64', pathCount: 210, foundCount: 208 }] }],
  })
export type FoundInImage = z.infer<typeof FoundInImage>

/** The part of a record that another image has. */
export type RetargetedRecord = {
  /** The reference of the image, with the digest of the platform's manifest. */
  readonly image: string
  readonly platform: string
  readonly entries: RecordEntry[]
  readonly use: RecordUse
}
