import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { inspectImage } from '../conversion/inspect.ts'
import { readImageFile } from '../conversion/read-image-file.ts'
import { runVerification } from '../conversion/verify.ts'
import { collect, platform, reference } from './arguments.ts'
import { type LocalOptions, PLAIN_HTTP_OPTION, withServices } from './local-images.ts'
import { print } from './print.ts'
import { inspectionText, verificationText } from './report-text.ts'

/** Adds `inspect`, `cat` and `verify`. */
export function addImageCommands(program: Command): void {
  program
    .command('inspect')
    .description('show the eStargz layers and the prioritized files of an image')
    .argument('<reference>', 'the image', reference)
    .option(...PLAIN_HTTP_OPTION)
    .option('--json', 'print the whole report as JSON')
    .action(inspect)
  program
    .command('cat')
    .description('print a file of an eStargz or zstd:chunked image; only its chunks are fetched and verified')
    .argument('<reference>', 'the image', reference)
    .argument('<path>', 'the path as a container opens it')
    .option(
      '--platform <platform>',
      'the image of an index to read: os/architecture[/variant]; default: the first',
      platform,
    )
    .option(...PLAIN_HTTP_OPTION)
    .action(cat)
  program
    .command('verify')
    .description('read a whole eStargz image and check every digest')
    .argument('<reference>', 'the eStargz image', reference)
    .option('--source <reference>', 'also compare its files with those of the source image', reference)
    .option(
      '--platform <platform>',
      'os/architecture[/variant]; can be given more than once',
      collect(platform),
    )
    .option(...PLAIN_HTTP_OPTION)
    .option('--json', 'print the whole report as JSON')
    .action(verify)
}

async function inspect(reference: string, options: LocalOptions): Promise<void> {
  await withServices([reference], options, async (services, signal) => {
    print(options, await inspectImage(reference, services, signal), inspectionText)
  })
}

async function cat(
  reference: string,
  path: string,
  options: LocalOptions & { readonly platform?: string },
): Promise<void> {
  const { platform } = options
  await withServices([reference], options, async (services, signal) => {
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
  await withServices([reference, source], options, async (services, signal) => {
    const request = {
      reference,
      ...(source !== undefined && { source }),
      ...(platform && { platforms: platform }),
    }
    const report = await runVerification(request, services, { signal })
    print(options, report, verificationText)
    if (!report.verified) process.exitCode = 1
  })
}
