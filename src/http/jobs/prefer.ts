import type { FastifyReply, FastifyRequest } from 'fastify'
import { isOver, type Job } from '../../jobs/job.ts'
import type { JobStore } from '../../jobs/queue/store.ts'

/** The longest that an answer is held back: proxies give up on connections that are silent for longer. */
const MAX_WAIT_S = 60

/** Waits for a job as long as `Prefer: wait=SECONDS` says (RFC 7240, 4.3). Answers the job as it is then. */
export async function waitAsPreferred(
  jobs: JobStore,
  job: Job,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Job> {
  const seconds = preferredWait(request.headers.prefer)
  if (seconds === undefined) return job
  reply.header('preference-applied', `wait=${seconds}`)
  const signal = AbortSignal.any([request.abandoned, request.server.closing])
  if (isOver(job.state)) return job
  await jobs.untilOver(job, seconds * 1000, signal)
  return (await jobs.get(job.kind, job.id)) ?? job
}

function preferredWait(header: string | string[] | undefined): number | undefined {
  const preferences = [header ?? []].flat().flatMap((line) => line.split(/[,;]/))
  for (const preference of preferences) {
    const seconds = /^\s*wait\s*=\s*"?(\d{1,6})"?\s*$/i.exec(preference)?.[1]
    if (seconds !== undefined) return Math.min(Number(seconds), MAX_WAIT_S)
  }
  return undefined
}
