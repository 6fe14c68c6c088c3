import { expect, it } from 'vitest'
import { digestOf } from '../oci/digest.ts'
import { boundContent } from './content.ts'

it.each([Number.MAX_SAFE_INTEGER + 1, 3.6e16, Number.POSITIVE_INFINITY])(
  'a size of %d, which a manifest made up, is left out: a response could not show it',
  (size) => {
    const annotations = { fine: 'yes' }
    expect(boundContent({ kind: 'image', size, estargz: true, annotations })).toEqual({
      kind: 'image',
      estargz: true,
      annotations,
    })
    const digest = digestOf('record')
    expect(boundContent({ kind: 'record', digest, size, entryCount: 3, annotations: {} })).toEqual({
      kind: 'record',
      digest,
      entryCount: 3,
      annotations: {},
    })
  },
)

it('a size that is exact is kept', () => {
  const size = Number.MAX_SAFE_INTEGER
  expect(boundContent({ kind: 'image', size })).toEqual({ kind: 'image', size })
})
