import { expect, it } from 'vitest'
import { mergeScopes, pullScope, pushScope } from './scopes.ts'

it('merges actions of one repository and puts the scope that writes first', () => {
  expect(mergeScopes([pullScope('base'), pushScope('app'), 'repository:app:delete'])).toEqual([
    'repository:app:pull,push,delete',
    'repository:base:pull',
  ])
  expect(mergeScopes([pullScope('host:5000/x'), pullScope('host:5000/x')])).toEqual([
    'repository:host:5000/x:pull',
  ])
})
