import type { DiskRoom } from '../bytes/disk-room.ts'
import type { SingleFlight } from '../concurrency/single-flight.ts'
import type { RecordFinder } from '../records/images/finder.ts'
import type { RecordEntry, RecordLimits } from '../records/model.ts'
import type { RegistryClient } from '../registry/client.ts'
import type { LayerLimits } from '../tar/limits.ts'
import type { ThreadPool } from './layers/thread-pool.ts'
import type { RequestBounds } from './request-bounds.ts'
import type { ConversionCache } from './reuse/conversion-cache.ts'
import type { LayerOutcome } from './reuse/converted-layer.ts'

/** What work on images needs: made once by whoever runs conversions, and shared by them. */
export type ConversionServices = {
  readonly registries: RegistryClient
  readonly threads: ThreadPool
  /** Where folders for scratch bytes are made, and how many bytes one conversion may keep there. */
  readonly scratch: {
    readonly folder: string
    readonly limit: number
    /** Of its disk; left out: no reserve is kept. */
    readonly room?: DiskRoom | undefined
  }
  readonly limits: LayerLimits
  /** Where it is remembered what was converted, if anywhere. */
  readonly cache?: ConversionCache | undefined
  /** Layers that conversions of this process are at. */
  readonly layersUnderWay: SingleFlight<LayerOutcome>
  /** On each job. */
  readonly bounds: RequestBounds
  /** Of one record, in bytes. */
  readonly recordLimits: RecordLimits
  /** Of applying a record to an image. */
  readonly maxRecordSteps: number
  /** An uploaded record by id. */
  readonly storedRecord: (id: string) => Promise<UploadedRecord | undefined>
  /** Finds the record images of an image. */
  readonly finder: RecordFinder
}

/** An uploaded record, as far as a conversion needs it. */
export type UploadedRecord = {
  readonly entries: readonly RecordEntry[]
  /** The profiled image, a reference or a digest. */
  readonly image?: string | undefined
  readonly workload?: string | undefined
  /** When it was made, RFC 3339. */
  readonly created?: string | undefined
}
