import type { ConversionReport, ImageInspection, VerificationReport } from '../conversion/report.ts'
import type { RecordEvaluation } from '../records/evaluation.ts'
import type { RecordUse } from '../records/resolve/record-use.ts'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** A size for people: three digits and a unit. */
export function bytesText(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  const value = bytes / 1024 ** unit
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`
}

export function conversionText(report: ConversionReport): string {
  const lines = [
    `${report.target}@${report.digest}`,
    `  from ${report.source}`,
    `  ${bytesText(report.sourceSize)} became ${bytesText(report.size)} in ${(report.durationMs / 1000).toFixed(1)} s`,
    ...(report.reused ? ['  converted before, and still there: only tags moved'] : []),
  ]
  for (const image of report.images) {
    const { record } = image
    const found = record
      ? `: ${record.placed} recorded paths placed, ${record.notFoundCount} not in the image`
      : ''
    lines.push(`  ${image.platform}${found}`)
    lines.push(...(image.warnings ?? []).map((warning) => `    ${warning}`))
    if (record?.from) lines.push(`    record ${record.from.reference}, of the same ${record.from.match}`)
    for (const layer of image.layers) {
      const front =
        layer.landmark === 'prefetch'
          ? `${layer.prioritizedFiles} entries first, ${bytesText(layer.prefetchBytes)} before the landmark`
          : 'nothing to prefetch'
      lines.push(
        `    ${layer.digest.slice(0, 19)} ${bytesText(layer.size)}, ${layer.entries} entries, ${front}`,
        ...(layer.warnings ?? []).map((warning) => `      ${warning}`),
      )
    }
  }
  for (const { digest, reason } of report.dropped) lines.push(`  left out ${digest}: ${reason}`)
  for (const { digest, reason } of report.kept) lines.push(`  kept ${digest}: ${reason}`)
  for (const { digest, names } of report.removed ?? [])
    lines.push(`  no more said of ${digest}: ${names.join(', ')}`)
  if (report.subject !== undefined) lines.push(`  listed as a referrer of ${report.subject}`)
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
  const lines = [`${report.reference}: ${report.verified ? 'verified' : 'NOT as it should be'}`]
  for (const image of report.images) {
    const compared = image.differences ? `, ${image.differences.length} differences to the source` : ''
    lines.push(`  ${image.platform} ${image.digest}${compared}`)
    for (const layer of image.layers) {
      const found = layer.problem ?? `${layer.entries} entries, ${layer.chunks} chunks`
      lines.push(`    ${layer.digest} ${found}`)
    }
    for (const difference of image.differences ?? []) lines.push(`    ${difference}`)
  }
  return `${lines.join('\n')}\n`
}

export function evaluationText(evaluation: RecordEvaluation): string {
  const lines = [evaluation.image]
  for (const { platform, record } of evaluation.images) lines.push(`  ${platform}`, ...useLines(record))
  return `${lines.join('\n')}\n`
}

/** What a record is worth in an image, for people. */
export function useLines(use: RecordUse): string[] {
  const about = use.exact ? '' : 'about '
  const { withRecord, withoutRecord, wholePull } = use.start
  const cost = ({ bytes, requests }: { bytes: number; requests: number }) =>
    `${bytesText(bytes)} in ${requests} requests`
  return [
    `    ${use.placed} of ${use.paths} recorded paths placed, ${use.followed} of them through links`,
    `    ${use.notFoundCount} not in the image, ${use.hiddenCount} hidden by an upper layer`,
    `    ${about}${bytesText(use.prefetchBytes)} of ${bytesText(use.imageBytes)} prefetched`,
    `    a start fetches about ${cost(withRecord)}, ${cost(withoutRecord)} without the record, ${cost(wholePull)} whole`,
    use.staleness
      ? `    ${use.staleness.changed} of ${use.staleness.compared} files changed since ${use.staleness.profiled}`
      : `    staleness unknown: ${use.stalenessUnknown ?? 'nothing to compare with'}`,
    ...use.notFound.map(
      ({ path, nearest }) => `    missing ${path}${nearest === undefined ? '' : `; nearest: ${nearest}`}`,
    ),
    ...use.hidden.map((path) => `    hidden ${path}`),
  ]
}
