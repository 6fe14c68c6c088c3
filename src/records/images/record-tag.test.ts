import { expect, it } from 'vitest'
import { isTag, parseReference } from '../../oci/reference.ts'
import { defaultRecordTag, isRecordOf } from './record-tag.ts'

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

it('matches records of an image and a workload by their annotations or by their tag', () => {
  const annotated = { tag: 'any', image: 'r.test/a:1', workload: 'go' }
  const tagOnly = { tag: 'record-1-go' }
  for (const record of [annotated, tagOnly]) {
    expect(isRecordOf(record, {})).toBe(true)
    expect(isRecordOf(record, { workload: 'go', image: parseReference('r.test/a:1') })).toBe(true)
    expect(isRecordOf(record, { workload: 'py' })).toBe(false)
    expect(isRecordOf(record, { image: parseReference('r.test/a:2') })).toBe(false)
  }
  expect(isRecordOf(annotated, { image: parseReference('r.test/b:1') })).toBe(false)
  expect(isRecordOf({ ...annotated, subject: digest }, { image: parseReference(`r.test/a@${digest}`) })).toBe(
    true,
  )
  expect(isRecordOf(annotated, { image: parseReference(`r.test/a@${digest}`) })).toBe(false)
})
