import { DEFAULT_PROJECT } from '../../db/project-scope.ts'

/** Projects whose jobs are noted for one conversion. Those that did it first are dropped first. */
const MAX_PROJECTS = 100

/** The latest job of each project that did the same conversion. */
export type ConversionJobs = ReadonlyMap<string, string>

/** Reads the jobs of a row. If none are listed, only the default project did the conversion, last in `job_id`. */
export function parseJobs({
  job_id,
  jobs,
}: {
  readonly job_id: string
  readonly jobs: string
}): ConversionJobs {
  return new Map(jobs === '' ? [[DEFAULT_PROJECT, job_id]] : (JSON.parse(jobs) as [string, string][]))
}

export function formatJobs(jobs: ConversionJobs): string {
  const [first, ...others] = jobs.keys()
  if (first === DEFAULT_PROJECT && others.length === 0) return ''
  return JSON.stringify([...jobs].slice(-MAX_PROJECTS))
}

/** Adds the job of a project as the newest one. */
export function withJob(jobs: ConversionJobs, project: string, jobId: string): ConversionJobs {
  return new Map([...[...jobs].filter(([name]) => name !== project), [project, jobId]])
}
