import type { ResponseDocument } from '../../client/broker-request.ts'
import { delay } from '../../client/delay.ts'
import type { BrokerContext } from '../broker/with-broker.ts'
import { countProgressView } from '../conversions/conversion-view.ts'
import { goesOnText } from '../jobs/watch-job.ts'
import { type ProgressView, waitingView } from '../terminal/progress-view.ts'

type Batch = ResponseDocument<'get', '/v1/conversion-batches/{id}'>

/** A batch has no events of its own, and its counts are cheap to read. */
const POLL_MS = 1_000

/** Shows how many conversions of a batch have finished, until all have, and returns the batch. */
export async function watchBatch(
  { client, broker, progress, signal, whenInterrupted }: BrokerContext,
  id: string,
): Promise<Batch> {
  whenInterrupted(goesOnText(broker, 'batch', id))
  let view: ProgressView = waitingView(`batch ${id}`)
  progress.follow(() => view)
  for (;;) {
    const batch = await client.get('/v1/conversion-batches/{id}', { params: { path: { id } }, signal })
    if (batch.state !== 'running') return batch
    view = batchView(batch)
    await delay(POLL_MS, signal)
  }
}

function batchView({ id, counts }: Batch): ProgressView {
  const { queued, running, succeeded, failed, cancelled } = counts
  const done = succeeded + failed + cancelled
  const failures = failed + cancelled === 0 ? '' : `, ${failed + cancelled} of them without success`
  return countProgressView(`batch ${id}`, done, done + queued + running, `conversions finished${failures}`)
}
