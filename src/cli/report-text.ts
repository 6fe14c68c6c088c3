import type { ConversionReport, ImageInspection, VerificationReport } from '../conversion/report.ts'
import type { RecordEvaluation } from '../records/evaluation.ts'
import type { RecordUse } from '../records/resolve/record-use.ts'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** Formats a size for people: three digits and a unit. */
export function bytesText(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  const value = bytes / 1024 ** unit
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`
}

export function conversionText(report: ConversionReport): string {
  const lines = [
    `${report.target}@${report.digest}`,
    `  from ${report.source}`,
    `  ${bytesText(report.sourceSize)} converted to ${bytesText(report.size)} in ${(report.durationMs / 1000).toFixed(1)} s`,
    ...(report.reused ? ['  reused an earlier conversion: only the tag was moved'] : []),
  ]
  for (const image of report.images) {
    const { record } = image
    const placed = record
      ? `: ${record.placed} recorded paths placed, ${record.notFoundCount} not in the image`
      : ''
    lines.push(`  ${image.platform}${placed}`)
    if (record && record.paths > 0 && record.placed === 0) {
      lines.push('    warning: the image contains none of the recorded paths')
    }
    lines.push(...(image.warnings ?? []).map((warning) => `    ${warning}`))
    if (record?.from) lines.push(`    record ${record.from.reference}, matched by ${record.from.match}`)
    for (const layer of image.layers) {
      const prefetch =
        layer.landmark === 'prefetch'
          ? `${layer.prioritizedFiles} entries first, ${bytesText(layer.prefetchBytes)} before the landmark`
          : 'nothing to prefetch'
      lines.push(
        `    ${layer.digest.slice(0, 19)} ${bytesText(layer.size)}, ${layer.entries} entries, ${prefetch}`,
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

export function inspectionText(inspection: ImageInspection): string {
  const lines = [inspection.reference]
  for (const image of inspection.images) {
    lines.push(`  ${image.platform} ${image.digest}, ${bytesText(image.size)}`)
    for (const layer of image.layers) {
      const { prioritized = [], problem } = layer
      const kind = !layer.estargz
        ? 'not eStargz'
        : `eStargz, ${layer.entries} entries, ${prioritized.length} prioritized (${bytesText(layer.prefetchBytes ?? 0)})`
      lines.push(`    ${layer.digest} ${bytesText(layer.size)} ${kind}${problem ? `; ${problem}` : ''}`)
      for (const name of prioritized) lines.push(`      ${name}`)
    }
  }
  for (const { digest, reason } of inspection.others) lines.push(`  ${digest}: ${reason}`)
  return `${lines.join('\n')}\n`
}

export function verificationText(report: VerificationReport): string {
  const lines = [`${report.reference}: ${report.verified ? 'verified' : 'FAILED'}`]
  for (const image of report.images) {
    const compared = image.differences ? `, ${image.differences.length} differences from the source` : ''
    lines.push(`  ${image.platform} ${image.digest}${compared}`)
    for (const layer of image.layers) {
      const result = layer.problem ?? `${layer.entries} entries, ${layer.chunks} chunks`
      lines.push(`    ${layer.digest} ${result}`)
    }
    for (const difference of image.differences ?? []) lines.push(`    ${difference}`)
  }
  return `${lines.join('\n')}\n`
}

export function evaluationText(evaluation: RecordEvaluation): string {
  const lines = [evaluation.image]
  for (const { platform, record } of evaluation.images) lines.push(`  ${platform}`, ...recordUseLines(record))
  return `${lines.join('\n')}\n`
}

/** Describes for people what a record is worth for an image. */
export function recordUseLines(use: RecordUse): string[] {
  const about = use.exact ? '' : 'about '
  const { withRecord, withoutRecord, wholePull } = use.start
  const cost = ({ bytes, requests }: { bytes: number; requests: number }) =>
    `${bytesText(bytes)} in ${requests} requests`
  return [
    `    ${use.placed} of ${use.paths} recorded paths placed, ${use.followed} of them through symlinks`,
    `    ${use.notFoundCount} not in the image, ${use.hiddenCount} hidden by an upper layer`,
    `    prefetches ${about}${bytesText(use.prefetchBytes)} of ${bytesText(use.imageBytes)}`,
    `    a start fetches about ${cost(withRecord)}, ${cost(withoutRecord)} without the record, ${cost(wholePull)} with a full pull`,
    use.staleness
      ? `    ${use.staleness.changed} of ${use.staleness.compared} files changed since ${use.staleness.profiled}`
      : `    staleness unknown: ${use.stalenessUnknown ?? 'there is nothing to compare with'}`,
    ...use.notFound.map(
      ({ path, nearest }) => `    missing ${path}${nearest === undefined ? '' : `; nearest: ${nearest}`}`,
    ),
    ...use.hidden.map((path) => `    hidden ${path}`),
  ]
}
