import { StartedSpan } from '../../tracing/started-span.ts'
import { contextOf, untraced } from '../../tracing/trace-context.ts'
import { attemptAttributes, attemptSpanName } from '../claims/attempt-traces.ts'
import type { Claim } from '../claims/claim-job.ts'
import type { JobLeases } from '../claims/job-leases.ts'
import type { Lease } from '../job.ts'
import { withJobLogFields } from './job-log-fields.ts'

/** Runs an attempt within its span and with the fields of its log lines. */
export function withAttempt(
  { job, lease }: Claim,
  leases: JobLeases,
  run: () => Promise<void>,
): Promise<void> {
  const { id, kind, requestId } = job
  const { attempt } = lease
  const started = StartedSpan.start(attemptSpanName(kind), {
    kind: 'consumer',
    attributes: {
      ...attemptAttributes(id, attempt),
      ...(requestId !== undefined && { 'record_broker.request.id': requestId }),
    },
    parent: contextOf(job.traceparent),
  })
  const fields = { job: id, kind, attempt, ...(requestId !== undefined && { requestId }) }
  const runLogged = () => withJobLogFields(fields, run)
  if (started === undefined) return runLogged()
  return started.endWith(async () => {
    await linkToPrevious(started, lease, leases)
    await runLogged()
  })
}

/** Stores the span of the attempt, in case the worker dies, and links it to that of the attempt before. */
async function linkToPrevious(started: StartedSpan, lease: Lease, leases: JobLeases): Promise<void> {
  const traceparent = started.span.isRecording() ? started.traceparent : undefined
  if (traceparent === undefined) return
  // A trace may lack a link; the job runs anyway.
  const previous = await untraced(() => leases.exchangeTrace(lease, traceparent)).catch(() => undefined)
  if (previous !== undefined) started.link(previous, { 'record_broker.link': 'previous attempt' })
}
