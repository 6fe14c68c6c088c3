import { z } from 'zod'
import { ReferenceText } from '../../oci/reference.ts'
import { isGlobPattern } from '../../records/glob/glob.ts'
import { RecordFormat } from '../../records/model.ts'
import { ImageName, LabelQuery, Workload } from '../parameters.ts'

const ExcludePattern = z.string().min(1).max(4096).refine(isGlobPattern, 'is not a valid glob')

const AbsolutePath = z.string().max(4096).startsWith('/', 'expected an absolute path')

const ProfilerText = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,98}[\x21-\x7e])?$/, 'expected up to 100 printable ASCII characters')

const Flag = z.enum(['true', 'false'])

const PublishTarget = z
  .string()
  .max(1000)
  .refine(
    (text) => Flag.safeParse(text).success || ReferenceText.safeParse(text).success,
    'expected true, false or an image reference',
  )

/** The query parameters of a record upload. */
export const UploadQuery = z
  .object({
    image: ImageName.optional(),
    workload: Workload.optional(),
    format: RecordFormat.optional().describe(
      'The format of the profile. Default: detected from the content.',
    ),
    workingDirectory: AbsolutePath.optional().describe(
      'The working directory of the profiled program at its start. Relative paths in the log are resolved against it.',
    ),
    root: AbsolutePath.optional().describe(
      'The root of the container as the profiler saw it on the host. It is removed from paths, and paths outside it are skipped. If omitted, the container roots of docker, containerd, podman and CRI-O are recognized.',
    ),
    exclude: z
      .union([ExcludePattern, z.array(ExcludePattern).max(20)])
      .optional()
      .describe('A glob of paths to skip, such as those of a wrapper script. Can be repeated.'),
    profiler: ProfilerText.optional().describe(
      'The profiler that created the profile. Default: derived from the format.',
    ),
    profilerVersion: ProfilerText.optional(),
    label: LabelQuery.optional(),
    publish: PublishTarget.optional().describe(
      'Whether to publish the record, too. `true` publishes it to the default reference in the backing registry; a reference publishes it there. Requires the scope `record-images:write`, too.',
    ),
    overwrite: Flag.optional().describe(
      'Whether publishing may move a tag that refers to a different manifest. Requires `publish`.',
    ),
  })
  .refine(({ publish = 'false', overwrite }) => overwrite === undefined || publish !== 'false', {
    path: ['overwrite'],
    message: 'requires publish',
  })
