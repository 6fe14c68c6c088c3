import type { DiskSpace } from '../bytes/disk-space.ts'
import type { ScratchUsage } from '../bytes/scratch.ts'
import type { SingleFlight } from '../concurrency/single-flight.ts'
import type { RecordFinder } from '../records/images/record-finder.ts'
import type { RecordEntry, RecordLimits } from '../records/model.ts'
import type { RegistryClient } from '../registry/client.ts'
import type { LayerLimits } from '../tar/layer-limits.ts'
import type { ThreadPool } from './layers/thread-pool.ts'
import type { RequestBounds } from './request-bounds.ts'
import type { ConversionCache } from './reuse/conversion-cache.ts'
import type { LayerOutcome } from './reuse/converted-layer.ts'

/** The services that conversions, verifications and evaluations of one project share in a process. */
export type ConversionServices = {
  /** The project of the job: the cache is its own, and the registries are used with its credentials and rules. */
  readonly project: string
  readonly registries: RegistryClient
  readonly threads: ThreadPool
  /** Where scratch folders are created, and how many bytes one conversion may keep in its own. */
  readonly scratch: {
    readonly folder: string
    readonly limitBytes: number
    /**
     * The free space of the disk with the folder, part of which is a reserve; if omitted, no reserve is kept.
     */
    readonly diskSpace?: DiskSpace | undefined
    /** Counts the bytes of all scratch folders together. */
    readonly usage?: ScratchUsage | undefined
  }
  readonly limits: LayerLimits
  /** Earlier conversions; if omitted, every layer is converted anew. */
  readonly cache?: ConversionCache | undefined
  /** Layer conversions in progress in this process, shared by jobs that need the same layer. */
  readonly layersInProgress: SingleFlight<LayerOutcome>
  /** The bounds on one job. */
  readonly bounds: RequestBounds
  /** The bounds on the size of one record. */
  readonly recordLimits: RecordLimits
  /** The bound on the steps of applying one record to one image. */
  readonly maxRecordSteps: number
  /** Reads an uploaded record by its id. */
  readonly findUploadedRecord: (id: string) => Promise<UploadedRecord | undefined>
  readonly recordFinder: RecordFinder
}

/** The parts of an uploaded record that a conversion needs. */
export type UploadedRecord = {
  readonly entries: readonly RecordEntry[]
  /** The profiled image: a reference or a digest. */
  readonly image?: string | undefined
  readonly workload?: string | undefined
  /** When the record was created, RFC 3339. */
  readonly created?: string | undefined
}
