import { expect, it } from 'vitest'
import { ProjectScope } from '../db/project-scope.ts'
import { HostNames } from '../oci/host-names.ts'
import { Caller } from './caller.ts'
import { BROKER_ACCESS, parseAccess, serializeAccess } from './caller-access.ts'
import { repositoryRule } from './registries/project-rule.ts'
import { RepositoryPatterns } from './repository-patterns.ts'

const names = new HostNames(['broker.example'])
const caller = new Caller({
  identity: { kind: 'token', subject: 'ci', tokenId: 'x' },
  scopes: ['records:read'],
  projectScope: ProjectScope.of('team'),
  access: {
    read: [new RepositoryPatterns(['r.example/**', 'embedded/team/**'])],
    write: [RepositoryPatterns.NOTHING],
  },
}).within('team', {
  read: new RepositoryPatterns(['r.example/team/**', 'embedded/**']),
  write: RepositoryPatterns.EVERYTHING,
})

it('crosses to another process with the patterns of the credential and of its project', () => {
  const { projectScope, access } = parseAccess(structuredClone(serializeAccess(caller)))
  expect(projectScope).toEqual(ProjectScope.of('team'))
  const allows = repositoryRule(access, names)
  const may = (use: 'read' | 'write', host: string, repository: string) => allows({ host, repository }, use)
  expect(may('read', 'r.example', 'team/app')).toBe(true)
  expect(may('read', 'broker.example', 'team/app')).toBe(true)
  expect(may('read', 'r.example', 'other/app')).toBe(false)
  expect(may('read', 'broker.example', 'other/app')).toBe(false)
  expect(may('write', 'r.example', 'team/app')).toBe(false)
})

it('of the broker itself sees all projects and repositories', () => {
  const { projectScope, access } = parseAccess(BROKER_ACCESS)
  expect(projectScope.seesAll).toBe(true)
  expect(repositoryRule(access, names)({ host: 'r.example', repository: 'a' }, 'write')).toBe(true)
})

it('to a repository that may be written includes reading it', () => {
  const allows = repositoryRule(
    { read: [RepositoryPatterns.NOTHING], write: [new RepositoryPatterns(['r.example/out'])] },
    names,
  )
  expect(allows({ host: 'r.example', repository: 'out' }, 'read')).toBe(true)
  expect(allows({ host: 'r.example', repository: 'in' }, 'read')).toBe(false)
})
