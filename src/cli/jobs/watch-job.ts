import { type JobKind, type JobOf, waitForJob } from '../../client/wait-for-job.ts'
import type { ConversionProgress, VerificationProgress } from '../../conversion/report.ts'
import { type SelectedBroker, serverOption } from '../broker/select-broker.ts'
import type { BrokerContext } from '../broker/with-broker.ts'
import { conversionProgressView, verificationProgressView } from '../conversions/conversion-view.ts'
import { type ProgressView, waitingView } from '../terminal/progress-view.ts'

/** A job to watch, and what it works on, for people. */
export type WatchedJob<Kind extends JobKind> = {
  readonly kind: Kind
  readonly id: string
  readonly title: string
}

/** Events that people want to read about while they wait. */
const NOTED: ReadonlySet<string> = new Set([
  'retrying',
  'throttled',
  'released',
  'crashed',
  'cancel-requested',
])

/**
 * Shows the progress of a job until it has finished, and returns it. If the command is interrupted, the job goes
 * on, and the message says how to cancel it.
 */
export async function watchJob<Kind extends JobKind>(
  { client, broker, progress, signal, whenInterrupted }: BrokerContext,
  { kind, id, title }: WatchedJob<Kind>,
): Promise<JobOf<Kind>> {
  whenInterrupted(goesOnText(broker, kind, id))
  let view: ProgressView = waitingView(`${title} is queued`)
  progress.follow(() => view)
  const onEvent = ({ event, data }: { readonly event: string; readonly data: unknown }) => {
    if (event === 'progress') view = progressView(kind, title, data)
    else if (event === 'started') view = waitingView(`${title} has started`)
    else if (NOTED.has(event)) {
      view = waitingView(`${title} is ${event === 'cancel-requested' ? 'being cancelled' : 'queued again'}`)
      progress.note(noteText(event, data))
    }
  }
  const job = await waitForJob(client, kind, id, { signal, onEvent })
  whenInterrupted('interrupted')
  return job
}

/** The message of a command that is interrupted while it watches what goes on without it. */
export function goesOnText(broker: SelectedBroker, kind: JobKind | 'batch', id: string): string {
  const self = `${id}${serverOption(broker)}`
  return `interrupted: the ${kind} goes on; record-broker ${kind} cancel ${self} cancels it, and record-broker ${kind} watch ${self} shows it again`
}

/** The addition to the failures of a command that has created what it waits for. */
export function createdText(kind: JobKind | 'batch', id: string): string {
  return `the ${kind} ${id} was created, and goes on: only waiting for it failed`
}

function progressView(kind: JobKind, title: string, data: unknown): ProgressView {
  if (kind === 'verification') return verificationProgressView(title, data as VerificationProgress)
  return conversionProgressView(title, data as ConversionProgress)
}

function noteText(event: string, data: unknown): string {
  const { error } = data as { readonly error?: { readonly code?: string; readonly message?: string } }
  const reason = error?.message === undefined ? '' : `: ${error.code}: ${error.message}`
  const texts: Readonly<Record<string, string>> = {
    retrying: 'an attempt failed and is repeated',
    throttled: 'a registry limits the rate, so that the job waits',
    released: 'the worker stopped, so that another one continues',
    crashed: 'the worker died, so that another one continues',
    'cancel-requested': 'the job is being cancelled',
  }
  return `${texts[event] ?? event}${reason}`
}
