import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { type InspectionProgress, inspectImage } from '../../conversion/inspect.ts'
import { readImageFile } from '../../conversion/read-image-file.ts'
import type { VerificationProgress } from '../../conversion/report.ts'
import { runVerification } from '../../conversion/verify.ts'
import { PLATFORMS_OPTION, platform, reference } from '../arguments.ts'
import { countProgressView, verificationProgressView } from '../conversions/conversion-view.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { inspectionText, verificationText } from '../text/report-text.ts'
import { addLocalOptions, addPlainHttpOption, type LocalOptions, withServices } from './local-images.ts'

const SETTINGS = ['registries', 'conversions', 'bounds of images'] as const

/** Adds `inspect`, `cat` and `verify`. */
export function addImageCommands(program: Command): void {
  describeCommand(
    addLocalOptions(
      program
        .command('inspect')
        .description('show the eStargz layers and the prioritized files of an image')
        .argument('<reference>', 'the image', reference),
    ).action(inspect),
    {
      examples: [
        [
          'inspect registry.example/team/app:1.0-esgz',
          'layers, prioritized files, and what a start prefetches',
        ],
      ],
      settings: SETTINGS,
    },
  )
  describeCommand(
    addPlainHttpOption(
      program
        .command('cat')
        .description(
          'print a file of an eStargz or zstd:chunked image; only its chunks are fetched and verified',
        )
        .argument('<reference>', 'the image', reference)
        .argument('<path>', 'the path as a container opens it')
        .option(
          '--platform <platform>',
          'the image of an index to read: os/architecture[/variant]; default: the first',
          platform,
        ),
    ).action(cat),
    {
      examples: [['cat registry.example/team/app:1.0-esgz /etc/os-release', 'print one file']],
      settings: SETTINGS,
    },
  )
  describeCommand(
    addLocalOptions(
      program
        .command('verify')
        .description('read a whole eStargz image and check every digest')
        .argument('<reference>', 'the eStargz image', reference)
        .option('--source <reference>', 'also compare its files with those of the source image', reference)
        .option(...PLATFORMS_OPTION),
    ).action(verify),
    {
      examples: [
        [
          'verify registry.example/team/app:1.0-esgz --source registry.example/team/app:1.0',
          'exits with status 1 if a digest or a file differs',
        ],
      ],
      settings: SETTINGS,
    },
  )
}

async function inspect(reference: string, options: LocalOptions): Promise<void> {
  const inspection = await withServices([reference], options, (services, signal, progress) => {
    let current: InspectionProgress = { layerCount: 0, doneLayerCount: 0 }
    progress.follow(() =>
      countProgressView(`inspecting ${reference}`, current.doneLayerCount, current.layerCount, 'layers read'),
    )
    return inspectImage(reference, services, signal, (latest) => {
      current = latest
    })
  })
  print(options, inspection, { text: inspectionText, names: ({ digest }) => digest })
}

async function cat(
  reference: string,
  path: string,
  options: LocalOptions & { readonly platform?: string },
): Promise<void> {
  const { platform } = options
  // The content may go to the terminal, which bars would mix with.
  await withServices([reference], { ...options, quiet: true }, async (services, signal) => {
    const content = readImageFile(reference, path, services, { platform, signal })
    await pipeline(content, process.stdout, { end: false })
  })
}

/** Exits with status 1 when a digest or a file differs. */
async function verify(
  reference: string,
  options: LocalOptions & { readonly source?: string; readonly platform?: string[] },
): Promise<void> {
  const { source, platform } = options
  const report = await withServices([reference, source], options, (services, signal, progress) => {
    let current: VerificationProgress = { layerCount: 0, doneLayerCount: 0 }
    progress.follow(() => verificationProgressView(reference, current))
    const onProgress = (latest: VerificationProgress) => {
      current = latest
    }
    const request = {
      reference,
      ...(source !== undefined && { source }),
      ...(platform && { platforms: platform }),
    }
    return runVerification(request, services, { signal, onProgress })
  })
  print(options, report, { text: verificationText, names: ({ reference: verified }) => verified })
  if (!report.verified) process.exitCode = 1
}
