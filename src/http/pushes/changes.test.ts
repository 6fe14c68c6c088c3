import { expect, it } from 'vitest'
import { formatReference } from '../../oci/reference.ts'
import { changesFromCloudEvent, changesFromDistribution, changesFromHarbor } from './changes.ts'

const digest = `sha256:${'a'.repeat(64)}`
const names = (references: readonly Parameters<typeof formatReference>[0][]) =>
  references.map(formatReference)

it('of a distribution registry are pushes and deletions of tags and manifests', () => {
  const event = (action: string, target: object) => ({ action, target, request: { host: 'registry.test' } })
  const notification = {
    events: [
      event('push', { repository: 'team/app', tag: '1.0', digest }),
      event('push', { repository: 'team/app', digest }),
      event('delete', { repository: 'team/app', tag: '1.0', digest }),
      event('pull', { repository: 'team/app', tag: '1.0', digest }),
      event('push', { repository: 'not a name', tag: '1.0' }),
      event('delete', { repository: 'team/app' }),
      event('push', { tag: '1.0' }),
    ],
  }
  expect(names(changesFromDistribution(notification, undefined))).toEqual([
    'registry.test/team/app:1.0',
    `registry.test/team/app@${digest}`,
    `registry.test/team/app@${digest}`,
  ])
  expect(names(changesFromDistribution(notification, 'other.test'))[0]).toBe('other.test/team/app:1.0')
})

it('of Harbor name the tag and the manifest', () => {
  const webhook = (type: string, resource_url: string) => ({
    type,
    event_data: { resources: [{ resource_url, digest }] },
  })
  const both = ['registry.test/team/app:1.0', `registry.test/team/app@${digest}`]
  for (const type of ['PUSH_ARTIFACT', 'DELETE_ARTIFACT']) {
    expect(names(changesFromHarbor(webhook(type, 'registry.test/team/app:1.0')))).toEqual(both)
  }
  expect(names(changesFromHarbor(webhook('DELETE_ARTIFACT', `registry.test/team/app@${digest}`)))).toEqual([
    both[1],
  ])
  expect(
    names(changesFromHarbor(webhook('PUSH_ARTIFACT', 'intern:80/team/app:1.0'), 'registry.test')),
  ).toEqual(both)
  expect(changesFromHarbor(webhook('SCANNING_COMPLETED', 'registry.test/team/app:1.0'))).toEqual([])
})

it('of CloudEvents are those of zot and Harbor', () => {
  const zot = (type: string, reference: string) => ({
    specversion: '1.0',
    type: `zotregistry.image.${type}`,
    source: 'registry.test',
    data: { name: 'team/app', reference },
  })
  expect(names(changesFromCloudEvent(zot('updated', '1.0')))).toEqual(['registry.test/team/app:1.0'])
  expect(names(changesFromCloudEvent(zot('deleted', digest)))).toEqual([`registry.test/team/app@${digest}`])
  expect(changesFromCloudEvent(zot('lint_failed', '1.0'))).toEqual([])
  const harbor = {
    specversion: '1.0',
    type: 'harbor.artifact.deleted',
    data: { resources: [{ resource_url: 'registry.test/team/app:1.0', digest }] },
  }
  expect(names(changesFromCloudEvent(harbor))).toEqual([
    'registry.test/team/app:1.0',
    `registry.test/team/app@${digest}`,
  ])
})
