import { expect, it } from 'vitest'
import { type JobView, jobLines } from './job-text.ts'

const error = { code: 'NOT_FOUND', message: 'the tag does not exist' }
const job: JobView = { id: 'id', state: 'failed', error, createdAt: 'now', labels: {}, priority: 0 }
const attempt = { attempt: 1, worker: 'one', outcome: 'failed' }

it('says once why a job failed', () => {
  const head = ['id failed', '  a to b', '  created now']
  expect(jobLines({ ...job, attempts: [{ ...attempt, error }] }, 'a to b')).toEqual([
    ...head,
    '  attempt 1 by one: failed: NOT_FOUND: the tag does not exist',
  ])
  const other = { code: 'NETWORK', message: 'reset' }
  expect(jobLines({ ...job, attempts: [{ ...attempt, error: other }] }, 'a to b')).toEqual([
    ...head,
    '  attempt 1 by one: failed: NETWORK: reset',
    '  NOT_FOUND: the tag does not exist',
  ])
})
