import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from './config.ts'

describe('loadConfig', () => {
  it('defaults to the embedded registry and database on loopback', () => {
    const config = loadConfig({})
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(config.backingRegistry).toBeUndefined()
    expect(config.databaseUrl).toMatch(/^sqlite:.*record-broker\.sqlite$/)
  })

  it.each([
    [{ RECORD_BROKER_LISTEN: '8080' }, 'RECORD_BROKER_LISTEN'],
    [{ RECORD_BROKER_LISTEN: '0.0.0.0:8080' }, 'RECORD_BROKER_TOKEN'],
    [{ RECORD_BROKER_TOKEN: 'short' }, 'RECORD_BROKER_TOKEN'],
    [{ RECORD_BROKER_SECRET_KEY: 'short' }, 'RECORD_BROKER_SECRET_KEY'],
    [{ RECORD_BROKER_SECRET_KEY: ',' }, 'RECORD_BROKER_SECRET_KEY'],
    [{ RECORD_BROKER_REGISTRY: 'r.example/Upper' }, 'RECORD_BROKER_REGISTRY'],
    [{ RECORD_BROKER_PLAIN_HTTP: 'a b' }, 'RECORD_BROKER_PLAIN_HTTP'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ RECORD_BROKER_REGISTRYS: 'r.example' }, 'RECORD_BROKER_REGISTRYS'],
    [{ RECORD_BROKER_CA: '/nonexistent/ca.pem' }, 'RECORD_BROKER_CA'],
    [{ RECORD_BROKER_TLS_CERT: '/tls.crt' }, 'RECORD_BROKER_TLS_KEY: required'],
    [{ RECORD_BROKER_TLS_KEY: '/tls.key' }, 'RECORD_BROKER_TLS_CERT: required'],
    [{ RECORD_BROKER_ALLOWED_HOSTS: 'https://broker.example' }, 'RECORD_BROKER_ALLOWED_HOSTS'],
    [{ RECORD_BROKER_TRUSTED_PROXIES: '10.0.0.0/33' }, 'RECORD_BROKER_TRUSTED_PROXIES'],
    [{ RECORD_BROKER_TRUSTED_PROXIES: 'proxy.example' }, 'RECORD_BROKER_TRUSTED_PROXIES'],
  ])('rejects %j and names the variable', (environment, name) => {
    expect(() => loadConfig(environment)).toThrow(ConfigError)
    expect(() => loadConfig(environment)).toThrow(name)
  })

  it('reads a file of settings, over which the environment has precedence', () => {
    const folder = mkdtempSync(join(tmpdir(), 'record-broker-config-'))
    try {
      const file = join(folder, 'broker.env')
      writeFileSync(file, 'RECORD_BROKER_REGISTRY=r.example:5000/team\nLOG_LEVEL=debug\n')
      const config = loadConfig({ RECORD_BROKER_CONFIG: file, LOG_LEVEL: 'warn' })
      expect(config.backingRegistry).toEqual({ host: 'r.example:5000', prefix: 'team' })
      expect(config.logLevel).toBe('warn')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
