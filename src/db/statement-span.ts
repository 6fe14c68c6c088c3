import { currentSpan, type SpanNotes, traced } from '../tracing/spans.ts'

/**
 * Statements below one span that get spans of their own: a request or a job that waits for long polls the
 * database.
 */
const MAX_STATEMENTS = 64

/** Savepoints, which separate the transactions that share a commit. */
const CONTROL = /^\s*(savepoint|release|rollback)\b/i

const statementCounts = new WeakMap<SpanNotes, number>()

/** Runs a statement as a span, if a trace surrounds it. The text has placeholders in place of values. */
export function withStatementSpan<Result>(
  system: 'sqlite' | 'postgresql',
  text: string,
  run: () => Promise<Result>,
): Promise<Result> {
  const parent = currentSpan()
  if (!parent.isRecording() || CONTROL.test(text)) return run()
  const count = (statementCounts.get(parent) ?? 0) + 1
  if (count > MAX_STATEMENTS) return run()
  statementCounts.set(parent, count)
  const attributes = { 'db.system.name': system, 'db.query.text': text }
  return traced(summaryOf(text), { kind: 'client', attributes }, run)
}

/** Runs a transaction as a span, if a trace surrounds it: its waits for a connection and for the disk, too. */
export function withTransactionSpan<Result>(run: () => Promise<Result>): Promise<Result> {
  return traced('transaction', { kind: 'client' }, run)
}

/** The name of a statement's span, such as `insert jobs`. */
export function summaryOf(text: string): string {
  const [, verb = 'statement'] = /^\W*(\w+)/.exec(text) ?? []
  const [, table] = /\b(?:from|into|update)\s+"?(\w+)"?/i.exec(text) ?? []
  return [verb.toLowerCase(), ...(table === undefined ? [] : [table])].join(' ')
}
