import type { DiskSpace } from '../bytes/disk-space.ts'
import type { ScratchUsage } from '../bytes/scratch.ts'
import type { MetricSet } from './metric-set.ts'

type Space = Awaited<ReturnType<DiskSpace['measure']>>

/**
 * Measures the disk that holds a folder. If the disk cannot be read, the scrape lacks it.
 * @param folder what the disk is for, as the label `folder`
 */
export function measureDisk(metrics: MetricSet, disk: DiskSpace, folder: 'data' | 'scratch'): void {
  // A scrape reads all gauges at once: they share one measurement.
  let measuring: Promise<Space | undefined> | undefined
  const measure = () => {
    measuring ??= disk
      .measure()
      .catch(() => undefined)
      .finally(() => {
        measuring = undefined
      })
    return measuring
  }
  const gauge = (name: string, help: string, select: (space: Space) => number) =>
    metrics.gauge(name, help, ['folder'], async (target) => {
      const space = await measure()
      if (space) target.set({ folder }, select(space))
      else target.reset()
    })
  gauge(
    'record_broker_disk_size_bytes',
    'The size of the disk that holds a folder of the broker.',
    ({ size }) => size,
  )
  gauge(
    'record_broker_disk_free_bytes',
    'The free space of the disk that holds a folder of the broker, the reserve included.',
    ({ free }) => free,
  )
  gauge(
    'record_broker_disk_reserve_bytes',
    'The free space that uploads and conversions leave for the database (RECORD_BROKER_DISK_RESERVE).',
    ({ reserve }) => reserve,
  )
}

/** Measures the scratch files of conversions. `limitBytes` is that of one job. */
export function measureScratch(
  metrics: MetricSet,
  usage: ScratchUsage,
  { limitBytes }: { readonly limitBytes: number },
): void {
  metrics.gauge(
    'record_broker_scratch_used_bytes',
    'Bytes of the scratch files of all running jobs, including what they have reserved for the next write.',
    [],
    (gauge) => gauge.set(usage.bytes),
  )
  metrics.gauge(
    'record_broker_scratch_job_limit_bytes',
    'The maximum size of the scratch files of one job (RECORD_BROKER_SCRATCH_LIMIT).',
    [],
    (gauge) => gauge.set(limitBytes),
    'max',
  )
}
