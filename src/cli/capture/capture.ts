import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { loadClientSettings } from '../../app/config/client-settings.ts'
import { onStopSignal } from '../../app/stop-signals.ts'
import { type UnpackedImage, type UnpackProgress, unpackImage } from '../../conversion/unpack/unpack-image.ts'
import { collect, count, label, platform, reference } from '../arguments.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { countProgressView } from '../conversions/conversion-view.ts'
import { CommandError } from '../failures/errors.ts'
import { describeCommand } from '../help/describe-command.ts'
import { addPlainHttpOption, withServices } from '../local/local-images.ts'
import { printRecord } from '../records/print-record.ts'
import { profileQuery, uploadProfile } from '../records/upload-profile.ts'
import { type Capture, captureCommand } from './capture-command.ts'
import { describeCapture } from './capture-summary.ts'
import { SANDBOXES, selectSandbox, selectTracer, TRACERS } from './select-tools.ts'

type CaptureOptions = BrokerOptions & {
  readonly image?: string
  readonly profiledImage?: string
  readonly platform?: string
  readonly plainHttp?: string[]
  readonly for?: number
  readonly tracer?: string
  readonly sandbox?: string
  readonly env?: string[]
  readonly ignoreStatus?: boolean
  readonly output?: string
  readonly upload: boolean
  readonly workload?: string
  readonly label?: string[]
  readonly publish?: string | true
}

type Root = UnpackedImage & { readonly folder: string }

/** Adds `record capture`. */
export function addCaptureCommand(record: Command): void {
  const command = record
    .command('capture')
    .description('run a command, record the files that it opens, and upload that')
    .argument('[command...]', 'the command, after --; default: the one that the image starts')
    .option('--image <reference>', 'run the command in a root that is unpacked from this image', reference)
    .option('--profiled-image <reference>', 'the image that the command runs in, without --image', reference)
    .option(
      '--platform <platform>',
      'the image of an index: os/architecture[/variant]; default: this machine',
      platform,
    )
    .option(
      '--for <seconds>',
      'stop the command after so many seconds; default: at its end, or at Ctrl-C',
      count,
    )
    .option(
      '--env <name=value>',
      'a variable for the command in the root; can be given more than once',
      collect(variable),
    )
    .option('--workload <name>', 'the workload, such as serve')
    .option('--label <key=value>', 'a label of the record; can be given more than once', collect(label))
    .option('--publish [reference]', 'publish the record as a record file image, too')
    .addOption(new Option('--tracer <program>', 'default: the first that is installed').choices(TRACERS))
    .addOption(new Option('--sandbox <name>', 'default: the first that is installed').choices(SANDBOXES))
    .option('--ignore-status', 'upload also if the command fails')
    .option('--output <file>', 'keep the log of the tracer in this file')
    .option('--no-upload', 'upload nothing; needs --output')
  addPlainHttpOption(addBrokerOptions(command)).action(capture)
  describeCommand(command, {
    examples: [
      [
        'record capture --image registry.example/team/app:1.0 --workload serve --for 20',
        'what the image starts, for 20 seconds',
      ],
      [
        "record capture --image registry.example/team/app:1.0 -- python3 -c 'import app'",
        'another command in the same root',
      ],
      [
        'record capture --profiled-image registry.example/team/app:1.0 -- ./start.sh',
        'a command of this machine, such as in a build container',
      ],
      ['record capture --no-upload --output trace.log -- ./start.sh', 'only the log'],
    ],
    settings: ['commands', 'registries', 'bounds of images'],
  })
}

async function capture(args: readonly string[], options: CaptureOptions, command: Command): Promise<void> {
  assertConsistent(args, options)
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-capture-'))
  let keepsLog = false
  try {
    const root =
      options.image === undefined ? undefined : await unpackRoot(options.image, join(folder, 'root'), options)
    const captured = await runCommand(args, options, folder, root)
    await rm(join(folder, 'root'), { recursive: true, force: true })
    if (options.output !== undefined) await copyFile(captured.log, options.output)
    if (!options.upload) return
    keepsLog = options.output === undefined
    const record = await withBroker(
      command,
      (context) => uploadProfile(context, captured.log, uploadQuery(captured, options, root)),
      { file: captured.log },
    )
    keepsLog = false
    printRecord(options, record)
  } catch (error) {
    if (keepsLog) process.stderr.write(`The log is kept in ${folder}: upload it with record push.\n`)
    throw error
  } finally {
    if (!keepsLog) await rm(folder, { recursive: true, force: true })
  }
}

function assertConsistent(
  args: readonly string[],
  { image, profiledImage, env, platform: wanted, upload, output }: CaptureOptions,
): void {
  const fail = (message: string) => {
    throw new CommandError('usage', message)
  }
  if (image === undefined && args.length === 0)
    fail('give a command after --, or --image for the command of an image')
  if (image !== undefined && profiledImage !== undefined) fail('give --image or --profiled-image, not both')
  if (image === undefined && (env || wanted !== undefined)) fail('--env and --platform need --image')
  if (!upload && output === undefined) fail('--no-upload needs --output')
}

async function unpackRoot(image: string, folder: string, options: CaptureOptions): Promise<Root> {
  const unpacked = await withServices([image], options, (services, signal, progress) => {
    let current: UnpackProgress = { layerCount: 0, doneLayerCount: 0 }
    progress.follow(() =>
      countProgressView(`unpacking ${image}`, current.doneLayerCount, current.layerCount, 'layers'),
    )
    return unpackImage(image, folder, services, {
      platform: options.platform,
      signal,
      onProgress: (latest) => {
        current = latest
      },
    })
  })
  return { ...unpacked, folder }
}

async function runCommand(
  args: readonly string[],
  options: CaptureOptions,
  folder: string,
  root: Root | undefined,
): Promise<Capture> {
  const { path } = loadClientSettings()
  const note = (text: string) => void (options.quiet || process.stderr.write(`${text}\n`))
  const tracer = selectTracer(options.tracer, path)
  const command = args.length > 0 ? args : (root?.process.command ?? [])
  if (command.length === 0)
    throw new CommandError('usage', `${options.image} starts no command; give one after --`)
  const sandbox = root && selectSandbox(options.sandbox, path)
  const stop = new AbortController()
  const removeListener = onStopSignal(() => stop.abort())
  note(
    `Recording ${command.join(' ')} with ${[tracer, sandbox?.name].filter(Boolean).join(' and ')}; Ctrl-C ends the command.`,
  )
  try {
    const captured = await captureCommand({
      tracer,
      command,
      sandboxed: sandbox && {
        sandbox,
        command: {
          root: root.folder,
          command,
          environment: [...root.process.environment, ...(options.env ?? [])],
          workingDirectory: root.process.workingDirectory,
        },
      },
      folder,
      seconds: options.for,
      signal: stop.signal,
    })
    const { status, wasStopped } = captured
    if (status !== undefined && status !== 0 && !wasStopped && !options.ignoreStatus) {
      throw new CommandError(
        'failed',
        `the command ended with status ${status}, so nothing was uploaded; --ignore-status uploads anyway`,
      )
    }
    note(await describeCapture(captured))
    return captured
  } finally {
    removeListener()
  }
}

function uploadQuery({ format, root }: Capture, options: CaptureOptions, unpacked: Root | undefined) {
  return profileQuery({ ...options, format, root, image: unpacked?.pinned ?? options.profiledImage })
}

/** A variable, `NAME=value`. */
function variable(text: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*=/.test(text)) throw new InvalidArgumentError('expected NAME=value')
  return text
}
