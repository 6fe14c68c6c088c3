import { expect, it } from 'vitest'
import { parseChallenges } from './challenge.ts'

const parse = (...headers: string[]) =>
  parseChallenges(headers).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])

it('parses a bearer challenge of Docker Hub', () => {
  const header =
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"'
  expect(parse(header)).toEqual([
    [
      'bearer',
      {
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:a/b:pull,push',
      },
    ],
  ])
})

it('parses several challenges, in one header and in several', () => {
  const bearer = ['bearer', { realm: '/token' }]
  const basic = ['basic', { realm: 'x, y' }]
  expect(parse('Bearer realm="/token", Basic realm="x, y"')).toEqual([bearer, basic])
  expect(parse('BEARER realm=/token', 'basic realm = "x, y"')).toEqual([bearer, basic])
})

it('parses escapes, empty values, schemes without parameters and token68', () => {
  expect(parse(String.raw`Basic realm="say \"hi\"", charset=""`)).toEqual([
    ['basic', { realm: 'say "hi"', charset: '' }],
  ])
  expect(parse('Negotiate, NTLM abc==, Bearer realm="r"')).toEqual([
    ['negotiate', {}],
    ['ntlm', {}],
    ['bearer', { realm: 'r' }],
  ])
})

it('ignores malformed text', () => {
  expect(parse('', '"', ',,', '= =')).toEqual([])
  expect(parse('Bearer realm="never closed')).toHaveLength(1)
})
