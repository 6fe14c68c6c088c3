import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import { RecordEntry } from '../model.ts'

const EXAMPLE_DIGEST = Digest.parse('sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08')

const summary = {
  reference: z.string(),
  digest: Digest,
  size: z.int().describe('The size of manifest, config and layer in bytes.'),
  createdAt: z.string().optional().describe('When the record was created, according to the image.'),
  image: z.string().optional().describe('The profiled image, as named by the publisher.'),
  workload: z.string().optional(),
  profiler: z.string().optional(),
  profilerVersion: z.string().optional(),
  subject: Digest.optional().describe('The digest of the manifest that the record image refers to.'),
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

export const RecordImageDocument = z.object({ ...summary, entries: z.array(RecordEntry) }).meta({
  id: 'RecordImage',
  description: 'A record file image with the entries of its record.',
  examples: [{ ...example, entries: [{ path: 'usr/bin/app' }] }],
})
