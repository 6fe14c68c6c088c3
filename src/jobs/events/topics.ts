import type { Database } from '../../db/database.ts'

/** The topic of jobs that wait for a worker. */
export const QUEUE_TOPIC = 'queue'
/** The topic of the events of all jobs. */
export const EVENTS_TOPIC = 'events'
/** The topic of callbacks that are due. */
export const CALLBACKS_TOPIC = 'callbacks'

/** The topic of changes to one job. */
export function jobTopic(id: string): string {
  return `job:${id}`
}

/** Notifies those that wait for a change to this job, for events of any job, or for due callbacks. */
export function notifyJobChanged({ notifier }: Database, id: string): void {
  notifier.notify(jobTopic(id))
  notifier.notify(EVENTS_TOPIC)
  notifier.notify(CALLBACKS_TOPIC)
}
