import { JobLeases } from '../../src/jobs/claims/job-leases.ts'
import { buildTar, file } from './images/build-tar.ts'
import { pushImage } from './images/push-image.ts'
import { OPERATOR, type SharedBroker } from './shared-broker.ts'

/** In every name of a seeded project's things, so that no response to another may contain it. */
export const CANARY = 'alpha-only'

/** What a project has: one of each resource, by the first part of its path, and what these are named after. */
export type ProjectSeeds = {
  readonly image: string
  readonly recordImage: string
  /** The digest of the record. */
  readonly digest: string
  readonly ids: Readonly<Record<string, string>>
}

/** Gives a project one of everything, through the API where there is one. */
export async function seedProject(broker: SharedBroker, project: string): Promise<ProjectSeeds> {
  const { token } = broker.credentialsOf(project)
  const { api } = broker
  const repository = { host: api.host, repository: `${CANARY}/app` }
  const layers = [{ tar: buildTar(file('usr/bin/app', 'app')) }]
  await pushImage(api.registries.repository(repository), { layers }, '1.0')
  const image = `${api.host}/${CANARY}/app:1.0`
  const recordImage = `${api.host}/${CANARY}/app:record`
  const create = async (url: string, body: string | object, credential = token) => {
    const { status, text } = await broker.send(credential, 'POST', url, { body })
    if (status >= 300) throw new Error(`${url}: ${status} ${text}`)
    return JSON.parse(text) as { id: string; digest: string }
  }
  const labels = { team: CANARY }
  const about = `image=${encodeURIComponent(image)}&workload=${CANARY}-workload&label=team%3D${CANARY}`
  const record = await create(`/v1/records?${about}`, '/usr/bin/app\n')
  await create(`/v1/records/${record.id}/publications`, { reference: recordImage })
  const rule = { name: CANARY, source: `${api.host}/${CANARY}/**`, target: '{host}/{repository}:{tag}-esgz' }
  const { id: rules } = await create('/v1/rules', rule)
  const conversion = { source: image, target: `${image}-esgz`, labels, record: { id: record.id } }
  const { id: failed } = await create('/v1/conversions', { ...conversion, target: `${image}-failed` })
  const leases = new JobLeases(broker.database)
  const claim = await leases.claim('worker')
  if (claim) {
    const error = { code: 'CORRUPT_GZIP', message: `${CANARY} is damaged`, retryable: false }
    await leases.fail(claim.lease, error)
  }
  const { id: conversions } = await create('/v1/conversions', conversion)
  const { id: verifications } = await create('/v1/verifications', { reference: `${image}-esgz`, labels })
  const { id: batches } = await create('/v1/conversion-batches', {
    conversions: [{ ...conversion, target: `${image}-batch` }],
    labels,
  })
  const operator = { authorization: `Bearer ${OPERATOR}` }
  const newToken = { name: `${CANARY}-token`, project, scopes: ['records:read'] }
  const { id: tokens } = await create('/v1/tokens', newToken, operator)
  return {
    image,
    recordImage,
    digest: record.digest,
    ids: {
      records: record.id,
      rules,
      conversions,
      failed,
      verifications,
      'conversion-batches': batches,
      tokens,
    },
  }
}
