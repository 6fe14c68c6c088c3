import { parseReference, tagOrDigest } from '../../oci/reference.ts'
import { readRecordImage } from '../../records/images/read-record-image.ts'
import { ConversionError } from '../errors.ts'
import type { ConversionRecord } from '../request.ts'
import type { ConversionServices } from '../services.ts'
import type { Image } from '../source/image.ts'
import type { OpenedReference } from '../source/image-reader.ts'
import type { LoadedRecord, RecordSelector } from './loaded-record.ts'
import { PriorityCopier, type PriorityCopierOptions } from './priority-copier.ts'
import { RecordMatcher } from './record-matcher.ts'

export type RecordReaderOptions = PriorityCopierOptions &
  Pick<ConversionServices, 'registries' | 'recordFinder' | 'recordLimits' | 'findUploadedRecord'>

/** Reads the record of a conversion from the source that the request names. */
export class RecordReader {
  readonly #options: RecordReaderOptions

  constructor(options: RecordReaderOptions) {
    this.#options = options
  }

  /**
   * @param images the images of the conversion's source, for each of which the selector returns a record
   * @throws ConversionError RECORD_NOT_FOUND, NO_PRIORITIZED_FILES, PLATFORM_NOT_FOUND; RecordImageError;
   * RegistryError
   */
  async read(
    source: ConversionRecord,
    opened: OpenedReference,
    images: readonly Image[],
  ): Promise<RecordSelector> {
    if ('copyFrom' in source) return new PriorityCopier(this.#options).copy(source.copyFrom, images)
    if ('match' in source) {
      return new RecordMatcher(this.#options).match(source.match.workload, opened, images)
    }
    const record = 'inline' in source ? { entries: source.inline } : await this.#readStored(source)
    return () => record
  }

  async #readStored(source: { readonly image: string } | { readonly id: string }): Promise<LoadedRecord> {
    const { registries, recordLimits, findUploadedRecord, signal } = this.#options
    if ('image' in source) {
      const reference = parseReference(source.image)
      const repository = registries.repository(reference)
      const record = await readRecordImage(repository, tagOrDigest(reference), { ...recordLimits, signal })
      return { ...record, imageDigest: record.subject }
    }
    const record = await findUploadedRecord(source.id)
    if (!record) throw new ConversionError('RECORD_NOT_FOUND', `record ${source.id} does not exist`)
    return record
  }
}
