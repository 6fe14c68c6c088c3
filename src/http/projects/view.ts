import { z } from 'zod'
import { type Project, ProjectName, ProjectRules, type Quotas } from '../../access/projects/project.ts'
import type { ProjectUsage } from '../../access/projects/project-usage.ts'
import { isoTime, Timestamp } from '../parameters.ts'

export const ProjectView = z
  .object({
    name: ProjectName,
    ...ProjectRules.shape,
    createdAt: Timestamp.optional().describe('Missing: nobody has changed the default project.'),
    updatedAt: Timestamp.optional(),
  })
  .meta({
    id: 'Project',
    description: 'A project: those who share a broker with others, and what they may use.',
  })

export const ProjectPage = z
  .object({ items: z.array(ProjectView), next: z.string().optional() })
  .meta({ id: 'ProjectPage', description: 'A page of projects.' })

const QuotaUse = z
  .object({
    used: z.int().min(0).optional().describe('Missing: this broker does not store it.'),
    limit: z.int().min(0).optional().describe('Missing: there is no limit.'),
  })
  .meta({ id: 'QuotaUse', description: 'How much of a quota is used.' })

export const UsageView = z
  .object({
    project: ProjectName,
    records: QuotaUse.describe('Stored records.'),
    queuedJobs: QuotaUse.describe('Jobs in the queue.'),
    runningJobs: QuotaUse.describe('Jobs that run.'),
    storedBytes: QuotaUse.describe('Bytes in the embedded registry.'),
  })
  .meta({ id: 'ProjectUsage', description: 'What a project uses of each quota.' })

export function projectView(project: Project): z.output<typeof ProjectView> {
  const { name, description, read, write, usesDockerConfig, quotas, createdAt, updatedAt } = project
  return {
    name,
    description,
    read,
    write,
    usesDockerConfig,
    quotas,
    // The default project exists before it is stored.
    ...(createdAt > 0 && { createdAt: isoTime(createdAt), updatedAt: isoTime(updatedAt) }),
  }
}

export function usageView({ name, quotas }: Project, usage: ProjectUsage): z.output<typeof UsageView> {
  const use = (quota: keyof Quotas) => ({ used: usage[quota], limit: quotas[quota] })
  return {
    project: name,
    records: use('records'),
    queuedJobs: use('queuedJobs'),
    runningJobs: use('runningJobs'),
    storedBytes: use('storedBytes'),
  }
}
