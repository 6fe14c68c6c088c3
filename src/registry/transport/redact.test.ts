import { expect, it } from 'vitest'
import { redact } from './redact.ts'

it.each([
  ['not with Basic dXNlcjpwYXNzd29yZA== here', 'not with Basic *** here'],
  ['authorization: bearer abcdefgh.ijk', 'authorization: bearer ***'],
  ['the token eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0. is old', 'the token *** is old'],
  [
    'GET https://cdn.example/blob?X-Amz-Signature=abc&Expires=1 failed',
    'GET https://cdn.example/blob?*** failed',
  ],
  ['at /v2/app/blobs?sig=x', 'at /v2/app/blobs?***'],
  ['https://user:password@r.example/v2/', 'https://***@r.example/v2/'],
  ['{"password":"hunter2hunter2"}', '{"password":"***"}'],
  ['secret = 0123456789abcdef', 'secret = ***'],
])('hides the secret in %s', (text, redacted) => {
  expect(redact(text)).toBe(redacted)
})

it.each([
  'unauthorized: authentication required',
  'Bearer token is missing',
  'basic auth failed',
  'the token has expired: get a new one',
  'denied: requested access to the resource is denied?',
  'MANIFEST_UNKNOWN: manifest tagged by "v1" is not found',
  'what? a=b',
])('leaves %s as it is', (text) => {
  expect(redact(text)).toBe(text)
})
