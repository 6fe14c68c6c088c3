import type { RecordFormat } from '../model.ts'
import type { DocumentFormat } from './json-documents.ts'
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

/**
 * The formats that are read line by line.
 *
 * To add a profiler format: add its name to `RecordFormat` in model.ts, write a `LineFormat` in parsers/,
 * register it here (and in `PROFILERS` below), and describe it in docs/formats.md. Reading, detection, log
 * prefixes and limits then apply to it. A format that is one JSON document belongs in json-documents.ts
 * instead.
 *
 * Order matters: a line that is distinctive of two formats is detected as the first one.
 */
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

/** The default `profiler` of a record, for the formats that only one program writes. */
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
