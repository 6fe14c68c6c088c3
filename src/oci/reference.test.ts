import { describe, expect, it } from 'vitest'
import { formatReference, parseReference, tagOrDigest } from './reference.ts'

const HEX = 'a'.repeat(64)

describe('parseReference', () => {
  it.each([
    ['debian', 'docker.io', 'library/debian', undefined],
    ['docker.io/debian:12', 'docker.io', 'library/debian', '12'],
    ['index.docker.io/me/app', 'docker.io', 'me/app', undefined],
    ['me/app:v1', 'docker.io', 'me/app', 'v1'],
    ['localhost/app', 'localhost', 'app', undefined],
    ['localhost:5000/a/b:c', 'localhost:5000', 'a/b', 'c'],
    ['ghcr.io/Team/app'.toLowerCase(), 'ghcr.io', 'team/app', undefined],
    ['[::1]:5000/app:x', '[::1]:5000', 'app', 'x'],
    ['REGISTRY.example.com/app', 'registry.example.com', 'app', undefined],
  ])('%s', (text, host, repository, tag) => {
    const reference = parseReference(text)
    expect(reference).toEqual(tag === undefined ? { host, repository } : { host, repository, tag })
    expect(parseReference(formatReference(reference))).toEqual(reference)
  })

  it('prefers the digest over the tag', () => {
    const reference = parseReference(`r.example/app:v1@sha256:${HEX}`)
    expect(reference.tag).toBe('v1')
    expect(tagOrDigest(reference)).toBe(`sha256:${HEX}`)
  })

  it('defaults to latest without tag and digest', () => {
    expect(tagOrDigest(parseReference('r.example/app'))).toBe('latest')
  })

  it.each([
    ['', 'repository'],
    ['App', 'repository'],
    ['a//b', 'repository'],
    ['a/../b', 'repository'],
    ['r.example/app:', 'tag'],
    ['r.example/app:a b', 'tag'],
    ['r.example/app@sha256:abc', 'digest'],
    ['r.example/app@md5:abc', 'digest'],
    ['r.example:99999/app', 'port'],
    ['http://r.example/app', 'host'],
  ])('rejects %j and names the part: %s', (text, part) => {
    expect(() => parseReference(text)).toThrow(part)
  })
})
