import { describe, expect, it } from 'vitest'
import { LoginPolicies } from './login-policy.ts'

const parse = (policies: readonly object[], groupsClaim = 'groups') =>
  LoginPolicies.parse(
    JSON.stringify(
      policies.map((policy, index) => ({ name: `policy ${index}`, scopes: ['records:read'], ...policy })),
    ),
    groupsClaim,
  )
const admitted = (policies: LoginPolicies, claims: object) => {
  const admission = policies.admit(claims as Record<string, unknown>)
  expect(admission && policies.find(admission.digest)).toBe(admission?.policy)
  return admission?.policy.name
}

describe('a person is admitted by the first policy', () => {
  it('that lists one of their groups and whose conditions they fulfil', () => {
    const policies = parse([
      { groups: ['a'], conditions: { email_verified: true } },
      { groups: ['a', 'b'] },
      { conditions: { hd: 'example.com' } },
    ])
    expect(admitted(policies, { groups: ['x', 'a'], email_verified: true })).toBe('policy 0')
    expect(admitted(policies, { groups: ['x', 'a'], email_verified: 'true' })).toBe('policy 1')
    expect(admitted(policies, { groups: 'b' })).toBe('policy 1')
    expect(admitted(policies, { groups: [], hd: 'example.com' })).toBe('policy 2')
    for (const claims of [
      {},
      { groups: 'ab' },
      { groups: { a: true } },
      { groups: [['a']] },
      { groups: ['A'] },
    ])
      expect(admitted(policies, claims)).toBeUndefined()
  })

  it('by groups that are nested, or in a claim with slashes', () => {
    const nested = parse([{ groups: ['a'] }], '/realm_access/roles')
    expect(admitted(nested, { realm_access: { roles: ['a'] } })).toBe('policy 0')
    expect(nested.claimNames).toEqual(['/realm_access/roles'])
    const named = parse([{ groups: ['a'] }], 'https://example.com/groups')
    expect(admitted(named, { 'https://example.com/groups': ['a'] })).toBe('policy 0')
  })
})

it('a policy has another digest when anything of it changes', () => {
  const digests = [
    {},
    { name: 'other' },
    { groups: ['b'] },
    { scopes: ['admin'] },
    { project: 'p' },
    { read: [] },
  ].map((fields) => parse([{ groups: ['a', 'b'], ...fields }]).admit({ groups: ['b'] })?.digest)
  expect(new Set(digests).size).toBe(digests.length)
  expect(parse([{ groups: ['a'] }]).find('unknown')).toBeUndefined()
})

it('a policy without groups and conditions is refused', () => {
  expect(() => parse([{}])).toThrow('[0].conditions: expected at least one claim, or groups')
  expect(() => parse([{ groups: [] }])).toThrow('[0].groups')
  expect(() => parse([{ groups: ['a'], issuer: 'x' }])).toThrow('[0]: Unrecognized key')
})
