import type { ConversionProgress, LayerProgress, VerificationProgress } from '../../conversion/report.ts'
import { overallOf, type ProgressBar, type ProgressView } from '../terminal/progress-view.ts'
import { bytesText } from '../text/quantities.ts'

/** The hexadecimal digits of a digest that people can tell apart. */
const SHORT_DIGEST = 12

/** Shows how far a conversion is, layer by layer. */
export function conversionProgressView(title: string, { phase, layers }: ConversionProgress): ProgressView {
  const platforms = new Set(layers.map(({ platform }) => platform))
  const sum = (of: (layer: LayerProgress) => number) => layers.reduce((total, layer) => total + of(layer), 0)
  const titles = { resolving: 'reading the source of', converting: 'converting', pushing: 'pushing' }
  const bars = layers.map((layer, i) => layerBar(layer, i, platforms.size > 1))
  return {
    title: `${titles[phase]} ${title}`,
    unit: 'layer',
    bars,
    overall: overallOf(bars),
    facts:
      layers.length === 0
        ? []
        : transferFacts(
            sum(({ read }) => read),
            sum(({ size }) => size),
            sum(uploadedBytes),
          ),
  }
}

/** Shows how far a verification is. */
export function verificationProgressView(title: string, progress: VerificationProgress): ProgressView {
  const { layerCount, doneLayerCount, totalBytes = 0, readBytes = 0 } = progress
  const share =
    totalBytes > 0 ? Math.min(1, readBytes / totalBytes) : doneLayerCount / Math.max(1, layerCount)
  const facts = [
    ...(totalBytes > 0 ? [`${bytesText(readBytes)} of ${bytesText(totalBytes)} read`] : []),
    `${doneLayerCount} of ${layerCount} layers verified`,
  ]
  return partlessView(`verifying ${title}`, layerCount === 0 ? undefined : { share, moved: readBytes }, facts)
}

/** Shows how many of several things are done. `total` is 0 while their number is unknown. */
export function countProgressView(title: string, done: number, total: number, what: string): ProgressView {
  const overall = total === 0 ? undefined : { share: done / total, moved: 0 }
  return partlessView(title, overall, [total === 0 ? `${done} ${what}` : `${done} of ${total} ${what}`])
}

/** Shows how many bytes of a known or unknown number were sent. */
export function uploadProgressView(title: string, sent: number, size: number | undefined): ProgressView {
  const facts = [
    size === undefined ? `${bytesText(sent)} sent` : `${bytesText(sent)} of ${bytesText(size)} sent`,
  ]
  const overall = size ? { share: Math.min(1, sent / size), moved: sent } : undefined
  return partlessView(title, overall, facts)
}

function partlessView(
  title: string,
  overall: ProgressView['overall'],
  facts: readonly string[],
): ProgressView {
  return { title, unit: '', bars: [], overall, facts }
}

function layerBar(layer: LayerProgress, i: number, showsPlatform: boolean): ProgressBar {
  const { digest, platform, state, size, read, written } = layer
  const uploaded = uploadedBytes(layer)
  const isDone = state === 'done'
  const short = digest.slice(digest.indexOf(':') + 1).slice(0, SHORT_DIGEST)
  return {
    // One index may have the same layer for several platforms.
    id: `${i} ${digest}`,
    label: showsPlatform ? `${short} ${platform}` : short,
    state,
    phase: isDone ? 'done' : state === 'waiting' ? 'waiting' : 'active',
    // The size of the result is not known before its end; it is about that of the source.
    share: isDone ? 1 : Math.min(0.99, (read + Math.min(uploaded, size)) / (2 * Math.max(1, size))),
    weight: size,
    moved: read + uploaded,
    facts: isDone
      ? [`${bytesText(size)} to ${bytesText(written)}`]
      : transferFacts(read, size, uploaded, written),
  }
}

function uploadedBytes({ uploaded, written }: LayerProgress): number {
  return uploaded ?? written
}

function transferFacts(read: number, size: number, uploaded: number, converted?: number): string[] {
  return [
    `${bytesText(read)} of ${bytesText(size)} downloaded`,
    ...(converted === undefined ? [] : [`${bytesText(converted)} converted`]),
    `${bytesText(uploaded)} uploaded`,
  ]
}
