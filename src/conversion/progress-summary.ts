import type { ConversionProgress, ProgressSummary, VerificationProgress } from './report.ts'

/** Sums up the layers. */
export function summarizeConversion({ phase, layers }: ConversionProgress): ProgressSummary {
  const summary = {
    phase,
    layerCount: layers.length,
    doneLayerCount: 0,
    totalBytes: 0,
    readBytes: 0,
    writtenBytes: 0,
  }
  for (const { state, size, read, written } of layers) {
    if (state === 'done') summary.doneLayerCount += 1
    summary.totalBytes += size
    // A layer that is read again after a dropped connection is not read twice.
    summary.readBytes += Math.min(read, size)
    summary.writtenBytes += written
  }
  return summary
}

/** A verification reports no layers, so that its progress is its summary. */
export function summarizeVerification(progress: VerificationProgress): ProgressSummary {
  return progress
}
