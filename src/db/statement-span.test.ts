import { expect, it } from 'vitest'
import { summaryOf } from './statement-span.ts'

it.each([
  ['select "id" from "jobs" where "id" = ?', 'select jobs'],
  ['insert into "job_events" ("a") values ($1)', 'insert job_events'],
  ['UPDATE jobs SET a = 1', 'update jobs'],
  ['select count(*) from (select 1 from "jobs") as x', 'select jobs'],
  ['pragma journal_mode = WAL', 'pragma'],
])('names a statement by what it does to which table: %s', (text, summary) => {
  expect(summaryOf(text)).toBe(summary)
})
