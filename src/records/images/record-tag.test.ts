import { expect, it } from 'vitest'
import { isTag, parseReference } from '../../oci/reference.ts'
import { defaultRecordTag, isOfWorkload } from './record-tag.ts'

const digest = `sha256:${'a'.repeat(64)}`

it('names the tag and the workload, and is always a valid tag', () => {
  expect(defaultRecordTag(parseReference('r.test/a:1.0'), 'go-version')).toBe('record-1.0-go-version')
  expect(defaultRecordTag(parseReference(`r.test/a@${digest}`), 'x')).toBe('record-aaaaaaaaaaaa-x')
  expect(defaultRecordTag(parseReference('r.test/a'), 'x')).toBe('record-latest-x')
  const unusual = ['a b', 'a/b', 'a  b', 'x'.repeat(200), 'ü'].map((workload) =>
    defaultRecordTag(parseReference('r.test/a:1'), workload),
  )
  for (const tag of unusual) expect(isTag(tag)).toBe(true)
  expect(new Set(unusual).size).toBe(unusual.length)
})

it('matches records of a workload by their annotation or by their tag', () => {
  for (const record of [{ tag: 'any', workload: 'go' }, { tag: 'record-1-go' }]) {
    expect(isOfWorkload(record, undefined)).toBe(true)
    expect(isOfWorkload(record, 'go')).toBe(true)
    expect(isOfWorkload(record, 'py')).toBe(false)
  }
  expect(isOfWorkload({ tag: 'record-1-go', workload: 'py' }, 'go')).toBe(false)
})
