import { expect, it } from 'vitest'
import { selectBroker } from './select-broker.ts'

const local = { url: 'http://127.0.0.1:8080', isSet: false }
const none = { server: undefined, token: undefined, local }
const logins = {
  current: 'https://a.test',
  servers: { 'https://a.test': { token: 'of-a' }, 'https://b.test': { token: 'of-b' } },
}

it.each([
  [
    'the option',
    'https://b.test',
    { ...none, server: 'https://c.test', token: 'of-c' },
    'https://b.test',
    'of-b',
  ],
  [
    'the environment',
    undefined,
    { ...none, server: 'https://c.test', token: 'of-c' },
    'https://c.test',
    'of-c',
  ],
  [
    'the environment, with a stored token',
    undefined,
    { ...none, server: 'https://b.test' },
    'https://b.test',
    'of-b',
  ],
  [
    'the environment over a stored token',
    undefined,
    { ...none, server: 'https://b.test', token: 'x' },
    'https://b.test',
    'x',
  ],
  [
    'the listening address that is set',
    undefined,
    { ...none, token: 't', local: { ...local, isSet: true } },
    local.url,
    't',
  ],
  ['the current login', undefined, none, 'https://a.test', 'of-a'],
])('the broker and its token come from %s', (_, option, settings, url, token) => {
  expect(selectBroker(option, settings, logins)).toMatchObject({ url, token })
})

it('without anything it is the default address', () => {
  expect(selectBroker(undefined, none, { servers: {} })).toEqual({
    url: local.url,
    from: 'default',
    token: undefined,
  })
})

it('a token is never taken for another server', () => {
  const environment = { ...none, server: 'https://c.test', token: 'of-c' }
  expect(selectBroker('https://d.test', environment, logins)).toEqual({
    url: 'https://d.test',
    from: 'option',
    token: undefined,
    foreignTokenOf: 'https://c.test',
  })
  const own = selectBroker('https://d.test', { ...none, token: 'own' }, logins)
  expect(own).toMatchObject({ token: undefined, foreignTokenOf: local.url })
  // A name of every object is no login.
  expect(selectBroker('constructor', none, logins).token).toBeUndefined()
})
