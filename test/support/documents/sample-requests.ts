import { digestOf } from '../../../src/oci/digest.ts'
import { type DocumentedRequest, templateOf } from './documented-requests.ts'
import type { ReaderMachine } from './reader-machine.ts'

type Body = object | string

/** The bodies of requests, as the documents and the OpenAPI document describe them. */
const BODIES: Readonly<Record<string, (machine: ReaderMachine) => Body | Promise<Body>>> = {
  'POST /v1/records': () => '/bin/sh\n/etc/os-release\n',
  'POST /v1/records/{id}/evaluations': (machine) => ({ image: image(machine, '1.1') }),
  'POST /v1/records/{id}/retargets': (machine) => ({ image: image(machine, '1.1') }),
  'POST /v1/records/{id}/publications': () => ({}),
  'POST /v1/records/merges': async ({ ids }) => ({
    records: [await ids.idFor('/v1/records', 1), await ids.idFor('/v1/records', 2)],
    strategy: 'union',
  }),
  'POST /v1/retention': () => ({ rules: { keepNewest: 3 } }),
  'POST /v1/conversions': (machine) => conversion(machine),
  'POST /v1/conversions/cancel': () => ({ labels: { sample: 'none' } }),
  'POST /v1/conversions/retry': () => ({ labels: { sample: 'none' } }),
  'POST /v1/verifications/cancel': () => ({ labels: { sample: 'none' } }),
  'POST /v1/verifications/retry': () => ({ labels: { sample: 'none' } }),
  'POST /v1/conversion-batches': (machine) => ({ conversions: [conversion(machine)] }),
  'POST /v1/verifications': (machine) => ({
    reference: image(machine, '1.0-esgz'),
    source: image(machine, '1.0'),
  }),
  'POST /v1/rules': () => rule(),
  'PUT /v1/rules/{id}': () => rule(),
  'PUT /v1/projects/{name}': () => ({ read: ['**'] }),
  'PUT /v1/registry-credentials/{host}': () => ({ username: 'robot', password: 'the password' }),
  'POST /v1/tokens': () => ({ name: `token ${++count}`, project: 'default', scopes: ['records:read'] }),
  'POST /v1/tokens/{id}/rotation': () => ({}),
  'POST /v1/hooks/distribution': ({ broker }) => ({
    events: [
      {
        action: 'push',
        target: {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          repository: 'team/app',
          digest: digestOf('pushed'),
          tag: '1.0',
        },
        request: { host: broker.host },
      },
    ],
  }),
  'POST /v1/hooks/harbor': (machine) => harborWebhook(machine),
  'POST /api/v1/conversions': (machine) => harborWebhook(machine),
  'POST /v1/hooks/cloudevents': ({ broker }) => ({
    specversion: '1.0',
    id: '1',
    source: broker.host,
    type: 'zotregistry.image.updated',
    data: { name: 'team/app', reference: '1.0', digest: digestOf('pushed'), mediaType: 'x' },
  }),
}

let count = 0

const image = ({ broker }: ReaderMachine, tag: string) => `${broker.host}/team/app:${tag}`
const conversion = (machine: ReaderMachine) => ({
  source: image(machine, '1.0'),
  target: image(machine, `request-${++count}`),
})
const rule = () => ({
  name: `rule-${++count}`,
  source: 'none.example/**',
  target: '{host}/{repository}:{tag}-esgz',
})
const harborWebhook = (machine: ReaderMachine) => ({
  type: 'PUSH_ARTIFACT',
  occur_at: 1,
  event_data: {
    resources: [{ resource_url: image(machine, '1.0'), digest: digestOf('pushed'), tag: '1.0' }],
    repository: {},
  },
})

/** Sends a documented request to the broker, with values for its placeholders and a body that fits. */
export async function sendRequest(
  machine: ReaderMachine,
  { method, path }: DocumentedRequest,
): Promise<{ readonly status: number; readonly text: string }> {
  const body = await BODIES[`${method} ${templateOf(path) ?? path.split('?')[0]}`]?.(machine)
  const address = await replacePlaceholders(machine, method, path)
  await machine.images.prepare(`${decodeURIComponent(address)} ${JSON.stringify(body ?? '')}`)
  const isStream = /\/events(\?|$)/.test(address)
  const ended = new AbortController()
  const response = await fetch(new URL(address, machine.broker.url), {
    method,
    signal: ended.signal,
    headers: {
      ...(isStream && { accept: 'text/event-stream' }),
      ...(body !== undefined && {
        'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
      }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = isStream ? '' : await response.text()
  ended.abort()
  return { status: response.status, text }
}

async function replacePlaceholders(machine: ReaderMachine, method: string, path: string): Promise<string> {
  const reference = image(machine, path.includes('record-images/') ? 'record-1.0-serve' : '1.0-esgz')
  let address = path
    .replace('KEY=VALUE', 'pipeline%3D4711')
    .replace('NAME', 'serve')
    .replace(/=REF(ERENCE)?\b/, `=${image(machine, '1.0')}`)
  if (address.includes('DIGEST'))
    address = address.replace('DIGEST', await machine.images.digestOf(reference))
  address = address.replace(/\bREFERENCE\b/, reference)
  for (let n = 0; /\bID\b|\{\w+\}|:id\b/.test(address); n++)
    address = address.replace(/\bID\b|\{\w+\}|:id\b/, await machine.ids.idFor(`${method} ${path}`, n))
  const [unknown] = /\b[A-Z]{2,}\b|…/.exec(address) ?? []
  if (unknown !== undefined) throw new Error(`nobody knows what ${unknown} stands for in ${path}`)
  return address
}
