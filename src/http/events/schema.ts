import { z } from 'zod'
import { ConversionProgress, ProgressSummary, VerificationProgress } from '../../conversion/report.ts'
import { JOB_KINDS } from '../../jobs/job.ts'
import { Digest } from '../../oci/digest-schema.ts'
import { JobErrorView, JobStateView } from '../jobs/view.ts'
import { Timestamp } from '../parameters.ts'
import { EXAMPLE_DIGEST, EXAMPLE_ID } from '../records/view.ts'

const Kind = z.enum(JOB_KINDS)

const seq = z.int().describe('The number of the event among those of the job, counted from 1.')
const attempt = z.int().describe('The attempt, counted from 1.')
const delayMs = z.int().describe('The time until the next attempt, in milliseconds.')
const id = z.string().describe('The position after which a stream continues (`Last-Event-ID`).')
const error = JobErrorView

/**
 * The events of a stream, each as the fields of a server-sent event with its `data` decoded.
 * @param about what each event says about its job besides its id
 */
function eventsOf<About extends z.ZodRawShape, Progress extends z.ZodType>(about: About, progress: Progress) {
  const job = { jobId: z.string(), seq, createdAt: Timestamp, ...about }
  const eventOf = <Name extends string, Data extends z.ZodRawShape>(
    name: Name,
    description: string,
    data: Data,
  ) => z.object({ id, event: z.literal(name), data: z.object({ ...job, ...data }) }).describe(description)
  return z.discriminatedUnion('event', [
    eventOf('queued', 'The job waits for a worker.', {
      retry: z.literal(true).optional().describe('A failed or cancelled job was returned to the queue.'),
    }),
    eventOf('started', 'A worker started an attempt.', { attempt, worker: z.string() }),
    eventOf('retrying', 'The attempt failed, and the job waits for the next one.', {
      attempt,
      error,
      delayMs,
    }),
    eventOf('throttled', 'A registry limited the request rate. The job waits, which is no failed attempt.', {
      attempt,
      error,
      delayMs,
      host: z.string().optional().describe('The registry.'),
    }),
    eventOf('released', 'The worker had to stop, or could not renew its lease. Another one continues.', {
      attempt,
      error: error.optional(),
    }),
    eventOf('crashed', 'The worker died. Another one continues.', { attempt, error }),
    eventOf('cancel-requested', 'The job stops soon.', {}),
    eventOf('succeeded', 'The job succeeded.', {
      attempt,
      target: z.string().optional().describe('The converted image.'),
      digest: Digest.optional().describe('The digest of the converted image.'),
      verified: z.boolean().optional().describe('Whether a verification found no problem.'),
    }),
    eventOf('failed', 'The job failed.', { attempt, error }),
    eventOf('cancelled', 'The job was cancelled.', { attempt: attempt.optional(), error: error.optional() }),
    z
      .object({ event: z.literal('progress'), data: progress })
      .describe('The progress of a running job. It has no id, and is not sent again.'),
  ])
}

const Progress = z.union([ConversionProgress, VerificationProgress])

const succeeded = {
  id: '3',
  event: 'succeeded' as const,
  data: {
    jobId: EXAMPLE_ID,
    seq: 3,
    createdAt: '2026-01-02T03:04:05.678Z',
    attempt: 1,
    digest: EXAMPLE_DIGEST,
    target: 'registry.example/team/app:1.0-esgz',
  },
}

const succeededAnywhere = {
  ...succeeded,
  id: `4711.3.${EXAMPLE_ID}`,
  data: {
    ...succeeded.data,
    project: 'default',
    kind: 'conversion' as const,
    source: 'registry.example/team/app:1.0',
  },
}

/** The events in the stream of one job. */
export const JobEventView = eventsOf({}, Progress).meta({
  id: 'JobEvent',
  description: 'An event of a job: the fields of a server-sent event, with its `data` decoded.',
  examples: [succeeded],
})

const images = {
  project: z.string().describe('The project that the job belongs to.'),
  kind: Kind,
  source: z.string().describe('The image to convert or to verify.'),
  target: z.string().describe('The converted image; empty for a verification.'),
}

/** The events in the stream of all jobs. */
export const BrokerEventView = eventsOf(
  images,
  z.object({ jobId: z.string(), ...images, progress: ProgressSummary }),
).meta({
  id: 'BrokerEvent',
  description: 'An event of any job: the fields of a server-sent event, with its `data` decoded.',
  examples: [succeededAnywhere],
})

/** The body of a callback, which `src/jobs/events/callback-sender.ts` writes. */
export const CallbackMessage = z
  .object({
    type: z.enum(
      JOB_KINDS.flatMap((kind) =>
        (['succeeded', 'failed', 'cancelled'] as const).map((state) => `${kind}.${state}` as const),
      ),
    ),
    timestamp: Timestamp.describe('When the job finished.'),
    data: z.object({
      id: z.string().describe('The id of the job.'),
      state: JobStateView,
      source: z.string().describe('The image to convert or to verify.'),
      target: z.string().describe('The converted image; empty for a verification.'),
      labels: z.record(z.string(), z.string()),
      error: error.optional(),
      digest: Digest.optional().describe('The digest of the converted image.'),
    }),
  })
  .meta({
    id: 'CallbackMessage',
    description: 'The message of a callback: a job has finished.',
    examples: [
      {
        type: 'conversion.succeeded' as const,
        timestamp: '2026-01-02T03:04:05.678Z',
        data: {
          id: EXAMPLE_ID,
          state: 'succeeded' as const,
          source: 'registry.example/team/app:1.0',
          target: 'registry.example/team/app:1.0-esgz',
          labels: { pipeline: '4711' },
          digest: EXAMPLE_DIGEST,
        },
      },
    ],
  })

/** The content of a stream of events, for the OpenAPI document. @param name the schema of its events */
export function eventStream(name: 'JobEvent' | 'BrokerEvent') {
  const { id, event, data } = name === 'JobEvent' ? succeeded : succeededAnywhere
  const schema = z.string().meta({
    description: `Server-sent events, decoded as a list of \`${name}\`. The \`data\` of each is JSON.`,
    contentMediaType: 'text/event-stream',
    contentSchema: { type: 'array', items: { $ref: `#/components/schemas/${name}` } },
    examples: [`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`],
  })
  return { description: 'A stream of events.', content: { 'text/event-stream': { schema } } }
}
