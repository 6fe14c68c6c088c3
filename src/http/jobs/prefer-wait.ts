import type { FastifyReply, FastifyRequest } from 'fastify'
import { isFinished, type Job } from '../../jobs/job.ts'
import type { ProjectJobs } from '../../jobs/queue/project-jobs.ts'

/** Maximum time to hold a response back: proxies close connections that are silent for longer. */
const MAX_WAIT_S = 60

/**
 * Waits for a job to finish, at most as long as `Prefer: wait=SECONDS` requests (RFC 7240, 4.3). Returns the
 * job in its current state.
 */
export async function waitAsPreferred(
  jobs: ProjectJobs,
  job: Job,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Job> {
  const seconds = preferredWaitSeconds(request.headers.prefer)
  if (seconds === undefined) return job
  reply.header('preference-applied', `wait=${seconds}`)
  const signal = AbortSignal.any([request.abortSignal, request.server.shutdownSignal])
  if (isFinished(job.state)) return job
  await jobs.waitUntilFinished(job, seconds * 1000, signal)
  return (await jobs.get(job.kind, job.id)) ?? job
}

function preferredWaitSeconds(header: string | string[] | undefined): number | undefined {
  const preferences = [header ?? []].flat().flatMap((line) => line.split(/[,;]/))
  for (const preference of preferences) {
    const seconds = /^\s*wait\s*=\s*"?(\d{1,6})"?\s*$/i.exec(preference)?.[1]
    if (seconds !== undefined) return Math.min(Number(seconds), MAX_WAIT_S)
  }
  return undefined
}
