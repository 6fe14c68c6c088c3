import { createBrokerClient } from '../../../src/client/broker-client.ts'
import { events } from '../../../src/client/events.ts'
import type { BrokerProcess } from '../broker-process.ts'
import type { SampleImages } from './sample-images.ts'

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/
/** What has an id, and what a command or a path calls it. The first that occurs decides. */
const KINDS = [
  ['token', /\btoken (rotate|revoke)\b|v1\/tokens/],
  ['project', /v1\/projects/],
  ['event', /--after/],
  ['batch', /\bbatch\b|conversion-batches/],
  ['verification', /\bverifications?\b/],
  ['conversion', /\bconversions?\b/],
  ['rule', /\brules?\b/],
  ['record', /\brecords?\b/],
] as const
type Kind = (typeof KINDS)[number][0]

/** The registry that documents store a credential for. */
export const SAMPLE_REGISTRY = 'registry.example'
/** Nothing listens there: jobs that need this registry wait, and are tried again and again. */
export const UNREACHABLE_HOST = '127.0.0.1:1'

/** The cursor before the first event. */
const BEFORE_ALL_EVENTS = '0.0.'

/** Ids of things that fit a command or a request: what an earlier command made, or else something new. */
export class SampleIds {
  readonly #broker: BrokerProcess
  readonly #images: SampleImages
  readonly #made = new Map<Kind, string>()
  #count = 0

  constructor(broker: BrokerProcess, images: SampleImages) {
    this.#broker = broker
    this.#images = images
  }

  /** Remembers the id that a command printed, if the command made something. */
  remember(command: string, output: string): void {
    const isMaking =
      /\b(push|create|merge|retarget|POST)\b/.test(command) && !/evaluations|cancel|retry/.test(command)
    const [id] = UUID.exec(output) ?? []
    const kind = kindIn(command)
    if (isMaking && kind && id) this.#made.set(kind, id)
  }

  /** Returns the id for the n-th placeholder of a command or of a path. */
  async idFor(text: string, n: number): Promise<string> {
    const kind = kindIn(text)
    if (kind === undefined) throw new Error(`nobody knows what kind of id this needs: ${text}`)
    const isEnding = /\b(cancel|delete|DELETE|rotate|rotation|revoke)\b/.test(text)
    const known = this.#made.get(kind)
    if (known !== undefined && n === 0 && !isEnding && !/retry/.test(text)) return known
    return this.#make(kind, isEnding ? 'waiting' : /retry/.test(text) ? 'failed' : 'finished')
  }

  /** Returns the plan for removing what `keepNewest: 3` does not keep. */
  async plan(): Promise<string> {
    const { plan } = await this.#post<{ plan: string }>('/v1/retention', { rules: { keepNewest: 3 } })
    return plan
  }

  async #make(kind: Kind, state: 'waiting' | 'failed' | 'finished'): Promise<string> {
    const n = ++this.#count
    const image = `${this.#broker.host}/team/app:1.0`
    const host = state === 'waiting' ? UNREACHABLE_HOST : this.#broker.host
    const source = `${host}/team/app:${state === 'failed' ? 'missing' : '1.0'}`
    await this.#images.prepare(image)
    const conversion = {
      source,
      target: `${this.#broker.host}/samples/app:${n}`,
      labels: { sample: String(n) },
    }
    if (kind === 'token')
      return this.#post('/v1/tokens', { name: `sample ${n}`, project: 'default', scopes: ['records:read'] })
    if (kind === 'project') {
      const name = `sample-${n}`
      await this.#broker.request('PUT', `/v1/projects/${name}`, {})
      return name
    }
    if (kind === 'record')
      return this.#upload(`/v1/records?image=${image}&workload=sample-${n}`, `/bin/sh\n/etc/file-${n}\n`)
    if (kind === 'rule')
      return this.#post('/v1/rules', { name: `r${n}`, source: 'none.example/**', target: '{host}/x:y' })
    if (kind === 'batch') return this.#post('/v1/conversion-batches', { conversions: [conversion] })
    if (kind === 'verification') return this.#post('/v1/verifications', { reference: source }, state)
    const id = await this.#post<string>('/v1/conversions', conversion, state)
    return kind === 'event' ? this.#firstEvent() : id
  }

  /** Returns the id of the oldest event of all jobs. */
  async #firstEvent(): Promise<string> {
    const client = createBrokerClient({ baseUrl: this.#broker.url })
    for await (const { id } of events(client, '/v1/events', { lastEventId: BEFORE_ALL_EVENTS }))
      if (id) return id
    throw new Error('the stream of events has ended')
  }

  async #upload(path: string, profile: string): Promise<string> {
    return (await this.#broker.request<{ id: string }>('POST', path, profile)).id
  }

  /** Sends a request, and waits for the job if it is to have ended. Returns the id, or the document if it has none. */
  async #post<Result = string>(path: string, body: object, state?: string): Promise<Result> {
    const response = await fetch(new URL(path, this.#broker.url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(state && state !== 'waiting' && { prefer: 'wait=60' }),
      },
      body: JSON.stringify(body),
    })
    const result = (await response.json()) as { id?: string }
    if (!response.ok) throw new Error(`POST ${path} failed: ${JSON.stringify(result)}`)
    return (result.id ?? result) as Result
  }
}

function kindIn(text: string): Kind | undefined {
  const words = text.replaceAll(/record-broker|127\.0\.0\.1:\d+\/(?!v1)\S+/g, '')
  return KINDS.find(([, pattern]) => pattern.test(words))?.[0]
}
