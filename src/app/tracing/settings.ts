import { z } from 'zod'

/** The settings of traces: those variables of OpenTelemetry that the broker reads itself. */
export const TracingSettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .optional()
    .describe(
      'the collector that receives traces over OTLP/HTTP, such as http://collector:4318; default: no traces. All OTEL_EXPORTER_OTLP_* variables apply',
    ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z
    .string()
    .optional()
    .describe('the full URL that receives traces, instead of OTEL_EXPORTER_OTLP_ENDPOINT with /v1/traces'),
  OTEL_EXPORTER_OTLP_PROTOCOL: z
    .string()
    .optional()
    .describe('the encoding of traces: http/protobuf or http/json; default: http/protobuf'),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: z
    .string()
    .optional()
    .describe('the same for traces alone, instead of OTEL_EXPORTER_OTLP_PROTOCOL'),
  OTEL_SERVICE_NAME: z
    .string()
    .optional()
    .describe('the name of the service in traces; default: record-broker'),
  OTEL_RESOURCE_ATTRIBUTES: z
    .string()
    .optional()
    .describe('further attributes of the service in traces, as name=value, comma separated'),
  OTEL_TRACES_SAMPLER: z
    .string()
    .optional()
    .describe(
      'which traces are recorded: always_on, always_off, traceidratio, or one of these after parentbased_; default: parentbased_always_on',
    ),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .optional()
    .describe('the share of traces that traceidratio records, from 0 to 1; default: 1'),
  OTEL_BSP_SCHEDULE_DELAY: z
    .string()
    .optional()
    .describe('milliseconds that ended spans wait to be sent together; default: 5000'),
  OTEL_BSP_MAX_QUEUE_SIZE: z
    .string()
    .optional()
    .describe('ended spans that wait to be sent; further ones are dropped; default: 2048'),
  OTEL_TRACES_EXPORTER: z.string().optional().describe('`none` disables traces, whatever the endpoint'),
  OTEL_SDK_DISABLED: z.string().optional().describe('`true` disables traces, whatever the endpoint'),
}

const PROTOCOLS = ['http/protobuf', 'http/json'] as const
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const
const DEFAULT_DELAY_MS = 5_000
const DEFAULT_QUEUE_SIZE = 2_048
const MAX_DELAY_MS = 3_600_000
const MAX_QUEUE_SIZE = 100_000

/** How traces are made and where they are sent. */
export type TracingConfig = {
  readonly protocol: (typeof PROTOCOLS)[number]
  readonly sampler: (typeof SAMPLERS)[number]
  /** The share of traces that `traceidratio` records. */
  readonly ratio: number
  readonly scheduleDelayMs: number
  readonly maxQueueSize: number
  /** All variables of OpenTelemetry, which the SDK reads from the environment of the process. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * Reads the settings of traces. Without an endpoint none is checked: the environment of a machine may set these
 * variables for other programs.
 * @param fail throws the error for a variable
 * @returns undefined if traces are off
 */
export function tracingConfig(
  values: Readonly<Record<string, string | undefined>>,
  fail: (name: string, reason: string) => never,
): TracingConfig | undefined {
  const [endpointName, endpoint] = firstSet(values, [
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ])
  const isDisabled =
    values.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || values.OTEL_TRACES_EXPORTER === 'none'
  if (endpoint === undefined || isDisabled) return undefined
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    fail(endpointName, 'expected a URL, such as http://collector:4318')
  }
  const [protocolName, protocol = 'http/protobuf'] = firstSet(values, [
    'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
    'OTEL_EXPORTER_OTLP_PROTOCOL',
  ])
  const number = (name: string, fallback: number, isValid: (value: number) => boolean, range: string) => {
    const value = Number(values[name] ?? fallback)
    return isValid(value) ? value : fail(name, `expected a number ${range}`)
  }
  const whole = (name: string, fallback: number, max: number) =>
    number(
      name,
      fallback,
      (value) => Number.isInteger(value) && value >= 1 && value <= max,
      `from 1 to ${max}`,
    )
  return {
    protocol: oneOf(PROTOCOLS, protocol) ?? fail(protocolName, `expected ${PROTOCOLS.join(' or ')}`),
    sampler:
      oneOf(SAMPLERS, values.OTEL_TRACES_SAMPLER ?? 'parentbased_always_on') ??
      fail('OTEL_TRACES_SAMPLER', `expected ${SAMPLERS.join(', ')}`),
    ratio: number('OTEL_TRACES_SAMPLER_ARG', 1, (value) => value >= 0 && value <= 1, 'from 0 to 1'),
    scheduleDelayMs: whole('OTEL_BSP_SCHEDULE_DELAY', DEFAULT_DELAY_MS, MAX_DELAY_MS),
    maxQueueSize: whole('OTEL_BSP_MAX_QUEUE_SIZE', DEFAULT_QUEUE_SIZE, MAX_QUEUE_SIZE),
    environment: Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) =>
        name.startsWith('OTEL_') && value !== undefined ? [[name, value]] : [],
      ),
    ),
  }
}

/** Returns the first name that has a value, or the last name. */
function firstSet(
  values: Readonly<Record<string, string | undefined>>,
  names: readonly [string, string],
): [name: string, value: string | undefined] {
  const name = values[names[0]] === undefined ? names[1] : names[0]
  return [name, values[name]]
}

function oneOf<Text extends string>(texts: readonly Text[], text: string): Text | undefined {
  return texts.find((one) => one === text)
}
