import { withCurrentNames } from '../../conversion/report-names.ts'
import type { ProjectEvents } from '../../jobs/events/event-feed.ts'
import { isFinished, type Job } from '../../jobs/job.ts'
import type { ProjectJobs } from '../../jobs/queue/project-jobs.ts'
import type { Services } from '../services.ts'
import { formatEvent, type StreamChunk } from './stream.ts'
import { jobEventText } from './view.ts'

/** Follows the events of one job after `afterSeq`, with its progress in between, until the job has finished. */
export async function* followJob(
  {
    jobs,
    events,
    feed,
  }: { readonly jobs: ProjectJobs; readonly events: Services['events']; readonly feed: ProjectEvents },
  followed: Job,
  afterSeq: number,
  signal: AbortSignal,
): AsyncGenerator<StreamChunk> {
  let lastSeq = afterSeq
  let lastProgress = ''
  using watch = feed.watchJob(followed)
  while (!signal.aborted) {
    const { version } = watch
    // Read the job before its events: if it has finished, all of its events exist.
    const job = await jobs.getStatus(followed.kind, followed.id)
    const page = await events.listForJob(followed, lastSeq)
    lastSeq = page.at(-1)?.seq ?? lastSeq
    if (page.length > 0) yield { text: page.map(jobEventText).join('') }
    if (!job || (isFinished(job.state) && lastSeq >= job.eventCount)) return
    const progress = formatEvent('progress', withCurrentNames(job.progress))
    if (job.state === 'running' && job.progress !== undefined && progress !== lastProgress) {
      lastProgress = progress
      yield { text: progress }
    }
    if (lastSeq >= job.eventCount) await watch.wait(version, signal)
  }
}
