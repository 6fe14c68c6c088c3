import type { RecordFormat } from '../model.ts'
import type { DocumentFormat } from './documents.ts'
import { audit } from './parsers/audit.ts'
import { fatrace, fatraceJson } from './parsers/fatrace.ts'
import { nydusCsv } from './parsers/nydus-csv.ts'
import { nydusJson } from './parsers/nydus-json.ts'
import { nydusList } from './parsers/nydus-list.ts'
import { opensnoop } from './parsers/opensnoop.ts'
import { overlaybdList } from './parsers/overlaybd-list.ts'
import type { LineFormat } from './parsers/parsed-line.ts'
import { pathList } from './parsers/path-list.ts'
import { snapshotterLog } from './parsers/snapshotter-log.ts'
import { stargzRecord } from './parsers/stargz-record.ts'
import { strace } from './parsers/strace.ts'
import { traceOpen } from './parsers/trace-open.ts'

export type LineFormatName = Exclude<RecordFormat, DocumentFormat>

/** The formats that are read line by line; of two that a line could show, the first one counts. */
export const LINE_FORMATS: Readonly<Record<LineFormatName, LineFormat>> = {
  'nydus-json': nydusJson,
  'fatrace-json': fatraceJson,
  'trace-open': traceOpen,
  'stargz-snapshotter-log': snapshotterLog,
  'stargz-record': stargzRecord,
  'nydus-csv': nydusCsv,
  opensnoop,
  audit,
  strace,
  fatrace,
  'path-list': pathList,
  'nydus-list': nydusList,
  'overlaybd-list': overlaybdList,
}

/** The programs whose output a format is, where that is one. */
export const PROFILERS: Partial<Record<RecordFormat, string>> = {
  strace: 'strace',
  fatrace: 'fatrace',
  'fatrace-json': 'fatrace',
  opensnoop: 'opensnoop',
  'trace-open': 'inspektor-gadget',
  audit: 'auditd',
  'stargz-snapshotter-log': 'stargz-snapshotter',
  'nydus-list': 'nydus-snapshotter',
  'nydus-csv': 'nydus-snapshotter',
  'nydus-json': 'nydus-snapshotter',
}
