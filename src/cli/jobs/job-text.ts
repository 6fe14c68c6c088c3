import { durationText } from '../text/quantities.ts'

type JobError = { readonly code: string; readonly message: string }

/** The fields of all jobs that the command line prints. */
export type JobView = {
  readonly id: string
  readonly state: string
  readonly error?: JobError | undefined
  readonly createdAt: string
  readonly startedAt?: string | undefined
  readonly finishedAt?: string | undefined
  readonly nextAttemptAt?: string | undefined
  readonly cancelRequested?: boolean | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly priority: number
}

type Attempt = {
  readonly attempt: number
  readonly worker: string
  readonly outcome?: string | undefined
  readonly error?: JobError | undefined
}

/** Why a queued job does not run yet. */
export type JobWaiting = {
  readonly position: number
  readonly reason: string
  readonly until?: string | undefined
  readonly registry?: string | undefined
  readonly limit?: number | undefined
  readonly jobId?: string | undefined
}

/** Describes a job in a list: its id, its state, what it works on, and why it failed. */
export function jobLine(job: JobView, subject: string): string {
  const error = job.error ? `  ${job.error.code}: ${job.error.message}\n` : ''
  return `${job.id} ${stateText(job)} ${job.createdAt} ${subject}\n${error}`
}

/** Describes one job in full, without its report. */
export function jobLines(
  job: JobView & { readonly attempts: readonly Attempt[]; readonly waiting?: JobWaiting | undefined },
  subject: string,
): string[] {
  const labels = Object.entries(job.labels).map(([key, value]) => `${key}=${value}`)
  return [
    `${job.id} ${stateText(job)}`,
    `  ${subject}`,
    `  created ${job.createdAt}${timeText(job)}`,
    ...(job.priority === 0 ? [] : [`  priority ${job.priority}`]),
    ...(labels.length === 0 ? [] : [`  labels ${labels.join(', ')}`]),
    ...(job.nextAttemptAt === undefined ? [] : [`  next attempt ${job.nextAttemptAt}`]),
    ...(job.waiting ? [`  ${waitingText(job.waiting)}`] : []),
    ...job.attempts.map(attemptLine),
    ...(job.error && !isErrorOf(job.attempts.at(-1), job.error)
      ? [`  ${job.error.code}: ${job.error.message}`]
      : []),
  ]
}

/** Whether the line of an attempt has the error of the job already. */
function isErrorOf(attempt: Attempt | undefined, { code, message }: JobError): boolean {
  return attempt?.error?.code === code && attempt.error.message === message
}

function stateText({ state, cancelRequested }: JobView): string {
  return cancelRequested ? `${state} (being cancelled)` : state
}

function timeText({ startedAt, finishedAt }: JobView): string {
  if (startedAt === undefined) return ''
  if (finishedAt === undefined) return `, started ${startedAt}`
  return `, finished ${finishedAt} after ${durationText(Date.parse(finishedAt) - Date.parse(startedAt))}`
}

function attemptLine({ attempt, worker, outcome, error }: Attempt): string {
  const reason = error ? `: ${error.code}: ${error.message}` : ''
  return `  attempt ${attempt} by ${worker}: ${outcome ?? 'running'}${reason}`
}

const WAIT_REASONS: Readonly<Record<string, string>> = {
  'retry-pause': 'pauses after a failed attempt',
  'registry-pause': 'pauses as a registry requires',
  'same-target': 'waits for a job with the same target',
  'no-worker': 'waits for a worker: none runs',
  'disk-full': 'waits for space: the disks of all workers are full',
  'registry-limit': 'waits for the limit of a registry',
  'idle-worker-needed': 'waits for a worker that runs nothing else',
  'workers-busy': 'waits for a worker: all are busy',
  'suspect-first': 'waits for a job that needs a worker of its own',
  starting: 'is about to start',
}

/** Describes why a queued job does not run yet. */
function waitingText({ position, reason, until, registry, limit, jobId }: JobWaiting): string {
  const facts = [
    ...(registry === undefined ? [] : [registry]),
    ...(limit === undefined ? [] : [`${limit} at a time`]),
    ...(jobId === undefined ? [] : [jobId]),
    ...(until === undefined ? [] : [`until ${until}`]),
  ]
  return `${WAIT_REASONS[reason] ?? reason}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}, place ${position} in the queue`
}
