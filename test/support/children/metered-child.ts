/**
 * A child process that counts to a number and answers requests for its metrics. Commands of its parent: `exit`
 * counts once more, sends the last values and exits; `block` blocks its event loop until it is killed.
 */
import { parentPort, serveMetricsRequests } from '../../../src/metrics/child-messages.ts'
import { MetricSet } from '../../../src/metrics/metric-set.ts'

const metrics = new MetricSet('worker')
const things = metrics.counter('things_total', 'Things.')
things.inc(Number(process.argv[2]))
metrics.gauge('level', 'The level.').set(1)
const port = parentPort()
if (!port) throw new Error('metered-child.ts needs a parent')
const sendLastValues = serveMetricsRequests(metrics, port)
process.on('message', async (message) => {
  if (message === 'exit') {
    things.inc()
    await sendLastValues()
    process.disconnect?.()
  }
  if (message === 'block') for (;;);
})
