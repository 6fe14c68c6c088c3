import { expect, it } from 'vitest'
import { mergeScopes, repositoryScope } from './scopes.ts'

it('merges the actions of one repository and puts the scope that writes first', () => {
  const scopes = [
    repositoryScope('base', 'pull'),
    repositoryScope('app', 'push'),
    'repository:app:delete',
    repositoryScope('base', 'pull'),
  ]
  expect(mergeScopes(scopes)).toEqual(['repository:app:pull,push,delete', 'repository:base:pull'])
})

it('keeps a port in the name of a resource', () => {
  expect(mergeScopes([repositoryScope('host:5000/x', 'pull')])).toEqual(['repository:host:5000/x:pull'])
})
