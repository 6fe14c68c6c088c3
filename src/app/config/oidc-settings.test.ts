import { describe, expect, it } from 'vitest'
import { demandsCredential, loadConfig } from './config.ts'

const LOGIN = {
  RECORD_BROKER_PUBLIC_URL: 'https://broker.example',
  RECORD_BROKER_LOGIN_ISSUER: 'https://login.example/realms/company',
  RECORD_BROKER_LOGIN_CLIENT_ID: 'record-broker',
  RECORD_BROKER_LOGIN_POLICIES: '/etc/record-broker/people.json',
}

describe('the settings of the login', () => {
  it('are complete, or nobody logs in', () => {
    expect(loadConfig({}).login).toBeUndefined()
    expect(loadConfig(LOGIN).login).toEqual({
      issuer: 'https://login.example/realms/company',
      clientId: 'record-broker',
      clientSecret: undefined,
      scopes: 'openid profile email',
      groupsClaim: 'groups',
      policiesFile: '/etc/record-broker/people.json',
      publicUrl: new URL('https://broker.example'),
    })
  })

  it.each([
    [{ RECORD_BROKER_LOGIN_CLIENT_ID: '' }, 'RECORD_BROKER_LOGIN_CLIENT_ID: required'],
    [{ RECORD_BROKER_LOGIN_POLICIES: '' }, 'RECORD_BROKER_LOGIN_POLICIES: required'],
    [{ RECORD_BROKER_PUBLIC_URL: '' }, 'RECORD_BROKER_PUBLIC_URL: required for the login of people'],
    [{ RECORD_BROKER_PUBLIC_URL: 'http://broker.example' }, 'RECORD_BROKER_PUBLIC_URL: expected https://'],
    [{ RECORD_BROKER_LOGIN_ISSUER: '' }, 'RECORD_BROKER_LOGIN_ISSUER: required, because'],
    [{ RECORD_BROKER_LOGIN_ISSUER: 'login.example' }, 'RECORD_BROKER_LOGIN_ISSUER: expected a URL'],
    [{ RECORD_BROKER_LOGIN_ISSUER: 'http://login.example' }, 'RECORD_BROKER_LOGIN_ISSUER: expected https://'],
    [{ RECORD_BROKER_LOGIN_ISSUER: 'https://a:hunter2@login.example' }, 'without a user'],
    [{ RECORD_BROKER_LOGIN_SCOPES: 'profile' }, 'RECORD_BROKER_LOGIN_SCOPES: expected openid'],
    [{ RECORD_BROKER_LOGIN_SCOPES: 'openid  email' }, 'RECORD_BROKER_LOGIN_SCOPES: expected scopes'],
  ])('are refused with %j', (changed, reason) => {
    expect(() => loadConfig({ ...LOGIN, ...changed })).toThrow(reason)
    expect(() => loadConfig({ ...LOGIN, ...changed })).not.toThrow(/hunter2/)
  })

  it('accept plain HTTP on this machine, and where the settings list it', () => {
    const settings = {
      RECORD_BROKER_PUBLIC_URL: 'http://127.0.0.1:8080',
      RECORD_BROKER_LOGIN_ISSUER: 'http://login.example:8080',
      RECORD_BROKER_PLAIN_HTTP: 'login.example:8080',
    }
    expect(loadConfig({ ...LOGIN, ...settings }).login?.issuer).toBe('http://login.example:8080')
  })
})

it('a broker whose callers identify themselves at an issuer may listen on any address', () => {
  const listen = { RECORD_BROKER_LISTEN: '0.0.0.0:8080' }
  expect(() => loadConfig(listen)).toThrow('RECORD_BROKER_OIDC_POLICIES')
  for (const settings of [{ RECORD_BROKER_OIDC_POLICIES: '/policies.json' }, LOGIN])
    expect(demandsCredential(loadConfig({ ...listen, ...settings }))).toBe(true)
  expect(demandsCredential(loadConfig({}))).toBe(false)
})
