import { expect, it } from 'vitest'
import { Caller } from '../../access/caller.ts'
import { RepositoryPatterns } from '../../access/repository-patterns.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { HostNames } from '../../oci/host-names.ts'
import { RegistryClient } from '../../registry/client.ts'
import { createReferenceCheck } from './reference-check.ts'

it('refuses registries for everybody, and repositories for those whose patterns lack them', async () => {
  const own = { names: new HostNames(['broker.example', '127.0.0.1:1']), address: '127.0.0.1:1' }
  const hosts = [...own.names.hosts, 'r.example']
  await using registries = new RegistryClient({ own, allowedHosts: (host) => hosts.includes(host) })
  const check = createReferenceCheck(registries)
  const caller = new Caller({
    identity: { kind: 'token', subject: 'ci' },
    scopes: ['conversions:write'],
    projectScope: ProjectScope.of('team'),
    access: {
      read: [new RepositoryPatterns(['r.example/team/**'])],
      write: [new RepositoryPatterns(['embedded/team/**'])],
    },
  })
  const refusal = (reference: string, use: 'read' | 'write', by?: Caller) => {
    try {
      check(reference, use, by)
      return undefined
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  expect(refusal('r.example/team/app:1', 'read', caller)).toBeUndefined()
  expect(refusal('r.example/team/app:1', 'write', caller)).toBe('REPOSITORY_NOT_ALLOWED')
  expect(refusal('r.example/other/app:1', 'read', caller)).toBe('REPOSITORY_NOT_ALLOWED')
  // Every name of the broker's own registry means the same repository.
  expect(refusal('broker.example/team/app:1', 'write', caller)).toBeUndefined()
  expect(refusal('127.0.0.1:1/team/app:1', 'write', caller)).toBeUndefined()
  expect(refusal('127.0.0.1:1/other/app:1', 'write', caller)).toBe('REPOSITORY_NOT_ALLOWED')
  expect(refusal('r.example/other/app:1', 'write')).toBeUndefined()
  expect(refusal('unlisted.example/team/app:1', 'read', caller)).toBe('HOST_NOT_ALLOWED')
  expect(refusal('UPPER case', 'read', caller)).toBe('INVALID_REFERENCE')
})
