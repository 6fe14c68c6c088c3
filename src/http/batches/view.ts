import { z } from 'zod'
import { BATCH_STATES, type Batch } from '../../jobs/queue/batch-store.ts'
import { ConversionSummary } from '../conversions/view.ts'
import { JobCounts } from '../jobs/view.ts'
import { isoTime, Timestamp } from '../parameters.ts'

export const BatchView = z
  .object({
    id: z.string(),
    project: z.string().describe('The project that the batch belongs to.'),
    state: z
      .enum(BATCH_STATES)
      .describe(
        '`running`: some conversions have not finished. `succeeded`: all conversions succeeded. `failed`: all have finished, and at least one failed or was cancelled.',
      ),
    counts: JobCounts,
    labels: z.record(z.string(), z.string()),
    createdAt: Timestamp,
  })
  .meta({
    id: 'ConversionBatch',
    description: 'Conversions that were created by one request.',
    examples: [
      {
        id: '019ab1c2-7a30-7000-8000-4b1c2d3e4f50',
        project: 'default',
        state: 'running',
        counts: { queued: 1, running: 1, succeeded: 0, failed: 0, cancelled: 0 },
        labels: { release: '2026-01' },
        createdAt: '2026-01-02T03:04:05.678Z',
      },
    ],
  })

export const BatchPage = z
  .object({ items: z.array(BatchView), next: z.string().optional() })
  .meta({ id: 'ConversionBatchPage', description: 'A page of batches, newest first.' })

export const BatchItems = z.object({ items: z.array(ConversionSummary), next: z.string().optional() }).meta({
  id: 'ConversionBatchItems',
  description: 'The conversions of a batch, in the order of the request.',
})

export function batchView({
  id,
  project,
  state,
  counts,
  labels,
  createdAt,
}: Batch): z.infer<typeof BatchView> {
  return { id, project, state, counts: { ...counts }, labels: { ...labels }, createdAt: isoTime(createdAt) }
}
