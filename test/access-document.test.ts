import { afterAll, describe, expect, it } from 'vitest'
import { LoginPolicies } from '../src/access/login/login-policy.ts'
import { mutableClaims } from '../src/access/workload/claim-kinds.ts'
import { WorkloadIdentities } from '../src/access/workload/workload-identities.ts'
import { parseWorkloadPolicies } from '../src/access/workload/workload-policy.ts'
import { IssuerConnections } from '../src/app/access/issuer-connections.ts'
import { readDocuments } from './support/documents/read-documents.ts'
import { TokenIssuer } from './support/oidc/token-issuer.ts'
import { GITHUB_CLAIMS, GITLAB_CLAIMS, KUBERNETES_CLAIMS } from './support/oidc/workload-claims.ts'

const stack = new AsyncDisposableStack()
const connections = stack.use(new IssuerConnections({ ca: undefined }))
afterAll(() => stack.disposeAsync())

const page = readDocuments().find(({ name }) => name === 'docs/access.md')
const blocks = page?.blocks.filter(({ language }) => language === 'json').map(({ text }) => text) ?? []

describe('the policies in docs/access.md', () => {
  it.each([
    ['GitHub Actions', 0, GITHUB_CLAIMS, { repository_id: '1' }],
    ['GitLab', 1, GITLAB_CLAIMS, { project_id: '1' }],
    ['Kubernetes', 2, KUBERNETES_CLAIMS, { 'kubernetes.io': { serviceaccount: { uid: 'other' } } }],
  ])('accept the tokens of %s, and those of no other', async (_, index, claims, others) => {
    const [policy, ...further] = parseWorkloadPolicies(blocks[index] ?? '')
    expect(further).toEqual([])
    if (!policy) return expect.unreachable()
    expect(mutableClaims(policy)).toEqual([])
    const issuer = stack.use(await TokenIssuer.start())
    const { ca: _ca, tokenFile: _file, ...fields } = policy
    const identities = new WorkloadIdentities({
      policies: [{ ...fields, issuer: issuer.url, jwksUri: issuer.jwksUri }],
      connect: (connection) => connections.connect(connection, 'RECORD_BROKER_OIDC_POLICIES'),
    })
    const caller = await identities.identify(await issuer.sign({ ...claims, aud: 'https://broker.example' }))
    expect([...(caller?.scopes ?? [])]).toEqual(policy.scopes)
    const foreign = await issuer.sign({ ...claims, ...others, aud: 'https://broker.example' })
    await expect(identities.identify(foreign)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
  })

  it('admit the people that they are meant for', () => {
    const policies = LoginPolicies.parse(blocks[3] ?? '', 'groups')
    const nameOf = (claims: Record<string, unknown>) => policies.admit(claims)?.policy.name
    expect(nameOf({ groups: ['team-a', 'platform'] })).toBe('operators')
    expect(nameOf({ groups: ['team-a'] })).toBe('team-a')
    expect(nameOf({ email: 'audit@company.example', email_verified: true })).toBe('auditor')
    expect(nameOf({ email: 'audit@company.example', email_verified: false })).toBeUndefined()
    expect(blocks).toHaveLength(4)
  })
})
