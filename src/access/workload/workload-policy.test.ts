import { describe, expect, it } from 'vitest'
import { mutableClaims } from './claim-kinds.ts'
import { parseWorkloadPolicies } from './workload-policy.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'
const policy = (fields: object = {}) => ({
  name: 'build',
  issuer: 'https://gitlab.example',
  audience: 'https://broker.example',
  conditions: { project_id: '20' },
  scopes: ['records:read'],
  ...fields,
})
const parse = (...policies: object[]) => parseWorkloadPolicies(JSON.stringify(policies))

it('fills in the project, the patterns and the algorithms', () => {
  expect(parse(policy())).toEqual([
    {
      ...policy(),
      project: 'default',
      read: ['**'],
      write: ['**'],
      algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'],
    },
  ])
})

describe('a file is refused', () => {
  it.each([
    ['that is not JSON', 'secret', 'is not JSON'],
    ['without a policy', '[]', 'at least one policy'],
    ['that is no list', '{}', 'expected array'],
  ])('%s', (_, text, reason) => {
    expect(() => parseWorkloadPolicies(text)).toThrow(reason)
    expect(() => parseWorkloadPolicies(text)).not.toThrow(/secret/)
  })

  it.each([
    ['an unknown field', { claims: {} }, '[0]: Unrecognized key: "claims"'],
    ['no condition', { conditions: {} }, '[0].conditions: expected at least one claim'],
    [
      'the audience as a condition',
      { conditions: { aud: 'x', project_id: '20' } },
      '[0].conditions.aud: is not a condition',
    ],
    [
      'a nested claim without its slash',
      { conditions: { 'kubernetes.io/namespace': 'ci' } },
      '[0].conditions["kubernetes.io/namespace"]: a nested claim begins with a slash',
    ],
    ['a pointer that is none', { conditions: { '/a~b': 'ci' } }, 'is written ~0'],
    ['a pattern in a claim', { conditions: { project_id: { glob: '*' } } }, '[0].conditions.project_id: '],
    ['an empty list of values', { conditions: { project_id: [] } }, '[0].conditions.project_id'],
    ['a number that is not exact', { conditions: { project_id: 2 ** 53 } }, '[0].conditions.project_id'],
    ['HMAC', { algorithms: ['HS256'] }, '[0].algorithms[0]'],
    ['no signature', { algorithms: ['none'] }, '[0].algorithms[0]'],
    ['no audience', { audience: undefined }, '[0].audience: is required'],
    ['no scopes', { scopes: undefined }, '[0].scopes: is required'],
    ['an audience of another type', { audience: 7 }, '[0].audience: expected a text of up to'],
    ['an empty list of audiences', { audience: [] }, '[0].audience: '],
    ['an unknown scope', { scopes: ['everything'] }, '[0].scopes[0]'],
    ['no scope', { scopes: [] }, '[0].scopes'],
    ['a pattern that is none', { read: ['*'] }, '[0].read[0]: "*": expected host/repository'],
    ['a project with an invalid name', { project: 'Team A' }, '[0].project'],
    [
      'an administrator of one project',
      { scopes: ['admin'], project: 'team-a' },
      '[0].project: an administrator works in all projects',
    ],
    ['an issuer without TLS', { issuer: 'http://gitlab.example' }, '[0].issuer: expected https://'],
    [
      'an issuer with a query',
      { issuer: 'https://gitlab.example/?a' },
      '[0].issuer: expected a URL without a query',
    ],
    ['keys without TLS', { jwksUri: 'http://gitlab.example/keys' }, '[0].jwksUri: expected https://'],
    [
      'everybody at GitHub',
      { issuer: GITHUB, conditions: { ref: 'refs/heads/main' } },
      '[0].conditions: anyone can have a repository',
    ],
    [
      'everybody at GitLab',
      { issuer: 'https://gitlab.com', conditions: { ref_protected: 'true' } },
      '[0].conditions: anyone',
    ],
  ])('with %s', (_, fields, reason) => {
    expect(() => parse(policy(fields))).toThrow(reason)
  })

  it('whose policies have one name, or reach one issuer in several ways', () => {
    expect(() => parse(policy(), policy())).toThrow('[1].name')
    const other = policy({ name: 'other', jwksUri: 'https://gitlab.example/keys' })
    expect(() => parse(policy(), other)).toThrow('[1].jwksUri: differs from that of [0]')
  })
})

it('accepts issuers without TLS on this machine, and those that the settings list', () => {
  expect(parse(policy({ issuer: 'http://127.0.0.1:8443' }))).toHaveLength(1)
  const text = JSON.stringify([policy({ issuer: 'http://gitlab.example:8080' })])
  expect(parseWorkloadPolicies(text, { plainHttp: ['gitlab.example:8080'] })).toHaveLength(1)
})

describe('conditions that are names alone', () => {
  it.each([
    [{ repository: 'octo-org/octo-repo' }, ['repository']],
    [{ sub: 'repo:octo-org/octo-repo:ref:refs/heads/main', ref: 'refs/heads/main' }, ['sub']],
    [{ sub: ['project_path:group/app:ref_type:branch:ref:main'] }, ['sub']],
    [{ sub: 'system:serviceaccount:ci:builder' }, ['sub']],
    [
      { '/kubernetes.io/namespace': 'ci', '/kubernetes.io/serviceaccount/name': 'builder' },
      ['/kubernetes.io/namespace', '/kubernetes.io/serviceaccount/name'],
    ],
    [{ sub: 'repo:octocat@123456/my-repo:ref:refs/heads/main' }, ['sub']],
  ])('%j are reported', (conditions, claims) => {
    expect(mutableClaims({ issuer: GITHUB, conditions })).toEqual(claims)
  })

  it.each([
    { repository: 'octo-org/octo-repo', repository_id: '740281394' },
    { sub: 'repo:octocat@123456/my-repo@456789:ref:refs/heads/main' },
    { sub: '7b0c6c0e-0f4c-4b59-a4b8-0d6c9d3b1f0e' },
    { '/kubernetes.io/serviceaccount/uid': 'e6a8680e-d103-4cce-80ea-03acbbeacf7d' },
  ])('%j are not', (conditions) => {
    expect(mutableClaims({ issuer: GITHUB, conditions })).toEqual([])
  })
})
