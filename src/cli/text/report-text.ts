import type { ConversionReport, ImageInspection, VerificationReport } from '../../conversion/report.ts'
import type { RecordEvaluation } from '../../records/evaluation.ts'
import type { RecordUse } from '../../records/resolve/record-use.ts'
import type { Plain } from './plain.ts'
import { bytesText, countText } from './quantities.ts'

export function conversionText(report: Plain<ConversionReport>): string {
  const lines = [
    `${report.target}@${report.digest}`,
    `  from ${report.source}`,
    `  ${bytesText(report.sourceSize)} converted to ${bytesText(report.size)} in ${(report.durationMs / 1000).toFixed(1)} s`,
    ...(report.reused ? ['  reused an earlier conversion: only the tag was moved'] : []),
  ]
  for (const image of report.images) {
    const { record } = image
    const placed = record
      ? `: ${countText(record.placedCount, 'recorded path')} placed, ${record.notFoundCount} not in the image`
      : ''
    lines.push(`  ${image.platform}${placed}`)
    if (record && record.pathCount > 0 && record.placedCount === 0) {
      lines.push('    warning: the image contains none of the recorded paths')
    }
    lines.push(...(image.warnings ?? []).map((warning) => `    ${warning}`))
    if (record) lines.push(...impliedLines(record))
    if (record?.from) lines.push(`    record ${record.from.reference}, matched by ${record.from.match}`)
    for (const layer of image.layers) {
      const prefetch =
        layer.landmark === 'prefetch'
          ? `${countText(layer.prioritizedFileCount, 'entry', 'entries')} first, ${bytesText(layer.prefetchBytes)} before the landmark`
          : 'nothing to prefetch'
      lines.push(
        `    ${layer.digest.slice(0, 19)} ${bytesText(layer.size)}, ${countText(layer.entryCount, 'entry', 'entries')}${layer.landmark ? ' and the landmark' : ''}, ${prefetch}`,
        ...(layer.warnings ?? []).map((warning) => `      ${warning}`),
      )
    }
  }
  for (const { digest, reason } of report.dropped) lines.push(`  left out ${digest}: ${reason}`)
  for (const { digest, reason } of report.kept) lines.push(`  kept ${digest}: ${reason}`)
  for (const { digest, names } of report.removed ?? [])
    lines.push(`  removed from ${digest}: ${names.join(', ')}`)
  if (report.subject !== undefined) lines.push(`  a referrer of ${report.subject}`)
  return `${lines.join('\n')}\n`
}

export function inspectionText(inspection: Plain<ImageInspection>): string {
  const lines = [inspection.reference]
  for (const image of inspection.images) {
    lines.push(`  ${image.platform} ${image.digest}, ${bytesText(image.size)}`)
    for (const layer of image.layers) {
      const { prioritizedFiles = [], problem } = layer
      const kind = !layer.estargz
        ? 'not eStargz'
        : `eStargz, ${countText(layer.entryCount ?? 0, 'entry', 'entries')}${withLandmark(layer)}, ${prioritizedFiles.length} prioritized (${bytesText(layer.prefetchBytes ?? 0)})`
      lines.push(`    ${layer.digest} ${bytesText(layer.size)} ${kind}${problem ? `; ${problem}` : ''}`)
      for (const name of prioritizedFiles) lines.push(`      ${name}`)
    }
  }
  for (const { digest, reason } of inspection.others) lines.push(`  ${digest}: ${reason}`)
  return `${lines.join('\n')}\n`
}

export function verificationText(report: Plain<VerificationReport>): string {
  const lines = [`${report.reference}: ${report.verified ? 'verified' : 'FAILED'}`]
  for (const image of report.images) {
    const compared = image.differences
      ? `, ${countText(image.differences.length, 'difference')} from the source`
      : ''
    lines.push(`  ${image.platform} ${image.digest}${compared}`)
    for (const layer of image.layers) {
      const result =
        layer.problem ??
        `${countText(layer.entryCount ?? 0, 'entry', 'entries')}${withLandmark(layer)}, ${countText(layer.chunkCount ?? 0, 'chunk')}`
      lines.push(`    ${layer.digest} ${result}`)
    }
    for (const difference of image.differences ?? []) lines.push(`    ${difference}`)
  }
  return `${lines.join('\n')}\n`
}

/** A table of contents lists the landmark as an entry. Conversions count the entries of the source. */
function withLandmark({ landmark }: { readonly landmark?: unknown }): string {
  return landmark === undefined ? '' : ' with the landmark'
}

export function evaluationText(evaluation: Plain<RecordEvaluation>): string {
  const lines = [evaluation.image]
  for (const { platform, record } of evaluation.images) lines.push(`  ${platform}`, ...recordUseLines(record))
  return `${lines.join('\n')}\n`
}

/** Describes for people what a record is worth for an image. */
export function recordUseLines(use: Plain<RecordUse>): string[] {
  const about = use.exact ? '' : 'about '
  const { withRecord, withoutRecord, wholePull } = use.start
  const cost = ({ bytes, requestCount }: { bytes: number; requestCount: number }) =>
    `${bytesText(bytes)} in ${countText(requestCount, 'request')}`
  return [
    `    ${use.placedCount} of ${use.pathCount} recorded paths placed, ${use.followedCount} of them through symlinks`,
    `    ${use.notFoundCount} not in the image, ${use.hiddenCount} hidden by an upper layer`,
    `    prefetches ${about}${bytesText(use.prefetchBytes)} of ${bytesText(use.imageBytes)}`,
    `    a start fetches about ${cost(withRecord)}, ${cost(withoutRecord)} without the record, ${cost(wholePull)} with a full pull`,
    use.staleness
      ? `    ${use.staleness.changedCount} of ${use.staleness.comparedCount} files changed since ${use.staleness.profiled}`
      : `    staleness unknown: ${use.stalenessUnknown ?? 'there is nothing to compare with'}`,
    ...use.notFound.map(
      ({ path, nearest }) => `    missing ${path}${nearest === undefined ? '' : `; nearest: ${nearest}`}`,
    ),
    ...use.hidden.map((path) => `    hidden ${path}`),
    ...impliedLines(use),
  ]
}

/** Interpreters that the record does not name, and that are placed, too. */
function impliedLines({
  implied = [],
  impliedCount = 0,
  unreadProgramCount = 0,
}: Plain<RecordUse>): string[] {
  const more = impliedCount - implied.length
  return [
    ...(impliedCount === 0
      ? []
      : [`    ${countText(impliedCount, 'interpreter')} placed, too, which recorded programs need`]),
    ...implied.map(({ path, by }) => `    implied ${path}, by ${by}`),
    ...(more > 0 ? [`    and ${more} more`] : []),
    ...(unreadProgramCount === 0
      ? []
      : [
          `    the interpreters of ${countText(unreadProgramCount, 'program')} are unknown, because their layers were not read`,
        ]),
  ]
}
