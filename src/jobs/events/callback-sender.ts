import { createHmac } from 'node:crypto'
import type { WorkerLog } from '../worker/worker.ts'
import { type Callbacks, type DueCallback, shownAddress } from './callbacks.ts'

const ANSWER_MS = 10_000
const LOOK_MS = 2_000
const AWAY_MS = 5_000
const GONE = 410
/** Callbacks that are delivered at a time: in all, and to one receiver. */
const AT_ONCE = 32
const AT_ONCE_PER_ORIGIN = 4

/** Signs a message as Standard Webhooks 1.0 says: HMAC-SHA256 over id, time in seconds and body. */
export function signature(secret: Buffer, id: string, seconds: number, body: string): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`
}

/** Delivers callbacks until `signal` aborts. One receiver that does not answer delays only its own. */
export async function sendCallbacks(
  callbacks: Callbacks,
  { secret, log }: { readonly secret: Buffer; readonly log: WorkerLog },
  signal: AbortSignal,
): Promise<void> {
  const underWay = new Map<Promise<void>, DueCallback>()
  const send = async (due: DueCallback): Promise<void> => {
    try {
      const result = await deliver(due, secret)
      await callbacks.tried(due, result, Math.random())
      const fields = { job: due.job.id, url: shownAddress(due.url), attempt: due.attempt, ...result }
      if (result.error === undefined) log.info(fields, 'callback delivered')
      else log.warn(fields, 'callback not delivered')
    } catch (error) {
      // It is due again when it was in hand for too long.
      log.error({ err: error }, 'what came of a callback cannot be written')
    }
  }
  while (!signal.aborted) {
    let waitMs = LOOK_MS
    try {
      const inHand = [...underWay.values()]
      const passedOver = { ids: inHand.map(({ id }) => id), origins: busyOrigins(inHand) }
      const due = inHand.length < AT_ONCE ? await callbacks.take(passedOver) : undefined
      if (due) {
        const sending = send(due).finally(() => underWay.delete(sending))
        underWay.set(sending, due)
        continue
      }
    } catch (error) {
      log.error({ err: error }, 'callbacks cannot be read')
      waitMs = AWAY_MS
    }
    await Promise.race([callbacks.wait(waitMs, signal), ...underWay.keys()])
  }
  await Promise.all(underWay.keys())
}

function busyOrigins(inHand: readonly DueCallback[]): string[] {
  const counts = new Map<string, number>()
  for (const { url } of inHand) {
    const { origin } = new URL(url)
    counts.set(origin, (counts.get(origin) ?? 0) + 1)
  }
  return [...counts].filter(([, count]) => count >= AT_ONCE_PER_ORIGIN).map(([origin]) => origin)
}

async function deliver(
  { url, messageId, job }: DueCallback,
  secret: Buffer,
): Promise<{ status?: number; error?: string; final?: boolean }> {
  const { kind, state, finishedAt, ...about } = job
  const body = JSON.stringify({
    type: `${kind}.${state}`,
    timestamp: new Date(finishedAt ?? Date.now()).toISOString(),
    data: { ...about, state },
  })
  const seconds = Math.floor(Date.now() / 1000)
  try {
    const answer = await fetch(url, {
      method: 'POST',
      // The host was allowed; where it leads to was not.
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
      headers: {
        'content-type': 'application/json',
        'webhook-id': messageId,
        'webhook-timestamp': String(seconds),
        'webhook-signature': signature(secret, messageId, seconds, body),
      },
      body,
    })
    await answer.body?.cancel()
    const { status } = answer
    if (answer.ok) return { status }
    return { status, error: `the receiver answered ${status}`, final: status === GONE }
  } catch (error) {
    const { message, cause } = error as Error
    return { error: `${message}${cause instanceof Error ? `: ${cause.message}` : ''}`.slice(0, 500) }
  }
}
