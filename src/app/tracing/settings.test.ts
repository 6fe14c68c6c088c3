import { expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../config/config.ts'

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }

it('traces are off without an endpoint, whatever else the machine sets', () => {
  for (const settings of [
    {},
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_SAMPLER: 'jaeger_remote' },
    { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' },
    { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
  ]) {
    expect(loadConfig(settings).tracing).toBeUndefined()
  }
})

it('an endpoint is enough', () => {
  const { tracing } = loadConfig({ ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a' })
  expect(tracing).toEqual({
    protocol: 'http/protobuf',
    sampler: 'parentbased_always_on',
    ratio: 1,
    scheduleDelayMs: 5000,
    maxQueueSize: 2048,
    environment: { ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a' },
  })
})

it('settings for traces alone have precedence', () => {
  const settings = {
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
  }
  expect(loadConfig(settings).tracing).toMatchObject({
    protocol: 'http/json',
    sampler: 'parentbased_traceidratio',
    ratio: 0.25,
  })
})

it.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'grpc://a' }, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL'],
  [{ ...ENDPOINT, OTEL_TRACES_SAMPLER: 'sometimes' }, 'OTEL_TRACES_SAMPLER'],
  [{ ...ENDPOINT, OTEL_TRACES_SAMPLER_ARG: '2' }, 'OTEL_TRACES_SAMPLER_ARG'],
  [{ ...ENDPOINT, OTEL_BSP_SCHEDULE_DELAY: '0' }, 'OTEL_BSP_SCHEDULE_DELAY'],
  [{ ...ENDPOINT, OTEL_BSP_MAX_QUEUE_SIZE: 'many' }, 'OTEL_BSP_MAX_QUEUE_SIZE'],
])('an invalid setting is named: %j', (settings, name) => {
  expect(() => loadConfig(settings)).toThrow(ConfigError)
  expect(() => loadConfig(settings)).toThrow(new RegExp(`^${name}: expected `))
})
