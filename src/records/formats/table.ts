import type { RecordEntry, RecordFormat } from '../model.ts'
import type { DocumentFormat } from './detect.ts'
import { readFatraceLine } from './fatrace.ts'
import type { LineOptions, ReadLine } from './found.ts'
import { nydusCsvReader } from './nydus-csv.ts'
import { readNydusJsonLine } from './nydus-json.ts'
import { readNydusListLine } from './nydus-list.ts'
import { readNydusifyList } from './nydusify.ts'
import { opensnoopReader } from './opensnoop.ts'
import { readOverlaybdListLine } from './overlaybd-list.ts'
import { readPathListLine } from './path-list.ts'
import { readSociList } from './soci.ts'
import { readStargzRecordLine } from './stargz-record.ts'
import { straceReader } from './strace.ts'

/** The formats that are read line by line. */
export const LINE_FORMATS: Record<
  Exclude<RecordFormat, DocumentFormat>,
  (options: LineOptions) => ReadLine
> = {
  'stargz-record': () => readStargzRecordLine,
  'path-list': () => readPathListLine,
  strace: straceReader,
  fatrace: () => readFatraceLine,
  opensnoop: opensnoopReader,
  'nydus-list': () => readNydusListLine,
  'nydus-csv': nydusCsvReader,
  'nydus-json': () => readNydusJsonLine,
  'overlaybd-list': () => readOverlaybdListLine,
}

/** The formats that are one JSON document. */
export const DOCUMENT_FORMATS: Record<DocumentFormat, (text: string) => RecordEntry[]> = {
  soci: readSociList,
  nydusify: readNydusifyList,
}

/** Logs of running programs, whose last line can be cut off. */
export const LOGS: ReadonlySet<RecordFormat | undefined> = new Set(['strace', 'fatrace', 'opensnoop'])

/** The programs whose output a format is, where that is one. */
export const PROFILERS: Partial<Record<RecordFormat, string>> = {
  strace: 'strace',
  fatrace: 'fatrace',
  opensnoop: 'opensnoop',
  'nydus-list': 'nydus-snapshotter',
  'nydus-csv': 'nydus-snapshotter',
  'nydus-json': 'nydus-snapshotter',
}
