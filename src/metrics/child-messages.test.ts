import { expect, it } from 'vitest'
import { type MetricsResponse, serveMetricsRequests } from './child-messages.ts'
import { MetricSet } from './metric-set.ts'

/** A channel whose other end is this test. */
function openChannel() {
  const responses: MetricsResponse[] = []
  const listeners: ((message: unknown) => void)[] = []
  const port = {
    send: (message: MetricsResponse) => void responses.push(message),
    onMessage: (listener: (message: unknown) => void) => void listeners.push(listener),
  }
  const receive = (message: unknown) => {
    for (const listener of listeners) listener(message)
  }
  return { responses, port, receive }
}

it('responds to requests, and sends the last values', async () => {
  const { responses, port, receive } = openChannel()
  const sendLastValues = serveMetricsRequests(new MetricSet('worker'), port)
  receive('alive')
  receive({ kind: 'metrics-request', request: 7 })
  await sendLastValues()
  expect(responses).toEqual([
    { kind: 'metrics', request: 7, metrics: [] },
    { kind: 'metrics', request: undefined, metrics: [] },
  ])
})

it('does not end the process if a metric cannot be read', async () => {
  const metrics = new MetricSet('worker')
  metrics.gauge('level', 'The level.', [], () => {
    throw new Error('too many open files')
  })
  const { responses, port, receive } = openChannel()
  const sendLastValues = serveMetricsRequests(metrics, port)
  // An unhandled rejection would fail this test.
  receive({ kind: 'metrics-request', request: 1 })
  await sendLastValues()
  expect(responses).toEqual([])
})
