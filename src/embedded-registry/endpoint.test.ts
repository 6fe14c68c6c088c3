import { describe, expect, it } from 'vitest'
import { parseEndpoint } from './endpoint.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

describe('parseAddress', () => {
  it.each([
    ['', { kind: 'base' }],
    ['_catalog', { kind: 'catalog' }],
    ['a/b/tags/list', { kind: 'tags', repository: 'a/b' }],
    [`a/blobs/${DIGEST}`, { kind: 'blob', repository: 'a', digest: DIGEST }],
    [`a/referrers/${DIGEST}`, { kind: 'referrers', repository: 'a', digest: DIGEST }],
    ['a/manifests/v1', { kind: 'manifest', repository: 'a', reference: 'v1' }],
    ['a/blobs/uploads', { kind: 'uploads', repository: 'a' }],
    ['a/blobs/uploads/', { kind: 'uploads', repository: 'a' }],
    ['a/blobs/uploads/x', { kind: 'upload', repository: 'a', id: 'x' }],
    ['a/blobs/uploads/manifests/v1', { kind: 'manifest', repository: 'a/blobs/uploads', reference: 'v1' }],
    ['a/manifests/tags/tags/list', { kind: 'tags', repository: 'a/manifests/tags' }],
  ])('%s', (path, endpoint) => expect(parseEndpoint(path)).toEqual(endpoint))

  it.each([
    ['../a/manifests/v1', 'NAME_INVALID'],
    ['a/../../b/tags/list', 'NAME_INVALID'],
    ['/etc/manifests/passwd', 'NAME_INVALID'],
    ['manifests/v1', 'NAME_INVALID'],
    ['A/manifests/v1', 'NAME_INVALID'],
    ['a+b/manifests/v1', 'NAME_INVALID'],
    ['a\0/manifests/v1', 'NAME_INVALID'],
    ['a/blobs/sha256:..', 'DIGEST_INVALID'],
    ['a/blobs/md5:aa', 'DIGEST_INVALID'],
    [`${'a'.repeat(256)}/manifests/v1`, 'NAME_INVALID'],
    ['a/elsewhere', 'NAME_UNKNOWN'],
  ])('rejects %j', (path, code) => {
    expect(() => parseEndpoint(path)).toThrow(expect.objectContaining({ code }))
  })
})
