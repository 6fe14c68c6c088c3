import type { BrokerClient } from './broker-client.ts'
import { BrokerError } from './broker-error.ts'
import type { ResponseDocument } from './broker-request.ts'
import { delay } from './delay.ts'
import { events, type JobEvent, type ReconnectLimits } from './events.ts'

/** The paths of jobs, by kind. */
const JOB_PATHS = {
  conversion: '/v1/conversions/{id}',
  verification: '/v1/verifications/{id}',
} as const

export type JobKind = keyof typeof JOB_PATHS
/** A job as the broker shows it. */
export type JobOf<Kind extends JobKind> = ResponseDocument<'get', (typeof JOB_PATHS)[Kind]>

export type WaitOptions = {
  /** Ends the wait. The job goes on; `POST /v1/conversions/{id}/cancel` cancels it. */
  readonly signal?: AbortSignal | undefined
  /** Called with each event of the job, progress included. Events that were sent before a reconnection are not repeated. */
  readonly onEvent?: ((event: JobEvent) => void) | undefined
  readonly reconnect?: ReconnectLimits | undefined
}

/** The pause between two looks at a job whose events cannot be read, in addition to the broker's own wait. */
const POLL_PAUSE_MS = 1_000
/** How long the broker holds a response back, in seconds. */
const PREFERRED_WAIT_S = 30
/** The time for such a response, in milliseconds. */
const RESPONSE_TIMEOUT_MS = (PREFERRED_WAIT_S + 30) * 1000
const FINAL_STATES = new Set(['succeeded', 'failed', 'cancelled'])

/**
 * Waits until a job has finished, and returns it: `state` shows whether it succeeded. Follows its events, over lost
 * connections and restarts of the broker. Where a proxy lets no stream pass, it requests the job again and again.
 * @throws BrokerError if the broker cannot be reached again
 */
export async function waitForJob<Kind extends JobKind>(
  client: BrokerClient,
  kind: Kind,
  id: string,
  { signal = new AbortController().signal, onEvent, reconnect }: WaitOptions = {},
): Promise<JobOf<Kind>> {
  // The compiler does not know that what both kinds take fits each of them.
  const path = JOB_PATHS[kind as 'conversion']
  const params = { path: { id } }
  try {
    for await (const event of events(client, `${path}/events`, { params, signal, reconnect }))
      onEvent?.(event)
  } catch (error) {
    signal.throwIfAborted()
    if (!isStreamProblem(error)) throw error
  }
  for (;;) {
    const headers = { prefer: `wait=${PREFERRED_WAIT_S}` }
    const options = { params, headers, signal, timeoutMs: RESPONSE_TIMEOUT_MS }
    const job: JobOf<'conversion'> = await client.get(path, options)
    if (FINAL_STATES.has(job.state)) return job as unknown as JobOf<Kind>
    await delay(POLL_PAUSE_MS, signal)
  }
}

/** Whether only the stream failed, so that the job can still be read. */
function isStreamProblem(error: unknown): boolean {
  return (
    error instanceof BrokerError &&
    (error.status === undefined || error.status >= 500 || error.status === 429)
  )
}
