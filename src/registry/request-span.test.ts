import { expect, it } from 'vitest'
import { operationKind } from './request-span.ts'

it.each([
  ['read manifest v1 of team/app', 'read manifest'],
  ['read blob sha256:00 of team/app', 'read blob'],
  ['mount blob sha256:00 of a/b in team/app', 'mount blob'],
  ['put manifest 1.0 to team/app', 'put manifest'],
  ['list the tags of team/app', 'list the tags'],
  ['send bytes of a blob to team/app', 'send bytes'],
  ['put the referrers under sha256-00 of team/app', 'put the referrers'],
  ['upload to team/app', 'upload'],
  ['list the repositories', 'list the repositories'],
])('spans have few names: %s', (operation, kind) => {
  expect(operationKind(operation)).toBe(kind)
})
