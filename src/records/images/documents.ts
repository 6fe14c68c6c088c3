import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import { RecordEntry } from '../model.ts'

const EXAMPLE_DIGEST = Digest.parse('sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08')

const summary = {
  reference: z.string(),
  digest: Digest,
  size: z.int().describe('Bytes of manifest, config and layer.'),
  created: z.string().optional().describe('As the image says.'),
  image: z.string().optional().describe('The profiled image, as the publisher named it.'),
  workload: z.string().optional(),
  profiler: z.string().optional(),
  profilerVersion: z.string().optional(),
  subject: Digest.optional().describe('The manifest that the record image is a referrer of.'),
  annotations: z.record(z.string(), z.string()),
}
const example = {
  reference: 'registry.example/team/app:record-1.0-serve',
  digest: EXAMPLE_DIGEST,
  size: 6123,
  image: 'registry.example/team/app:1.0',
  workload: 'serve',
  annotations: {},
}

export const RecordImageSummaryDocument = z
  .object({
    ...summary,
    entryCount: z.int().optional().describe('As the publisher says.'),
    match: z
      .enum(['digest', 'repository'])
      .optional()
      .describe(
        'How it belongs to the image that was asked about: digest, to this very one; repository, to another one of its repository.',
      ),
  })
  .meta({
    id: 'RecordImageSummary',
    description: 'A record file image in a registry.',
    examples: [{ ...example, entryCount: 214 }],
  })

/** A record file image with its record. */
export const RecordImageDocument = z.object({ ...summary, entries: z.array(RecordEntry) }).meta({
  id: 'RecordImage',
  description: 'A record file image with its record.',
  examples: [{ ...example, entries: [{ path: 'usr/bin/app' }] }],
})

/** One page of a listing. */
export const RecordImagePageDocument = z
  .object({
    items: z.array(RecordImageSummaryDocument),
    next: z.string().optional().describe('The cursor of the next page.'),
  })
  .meta({ id: 'RecordImagePage', description: 'Record file images.' })
