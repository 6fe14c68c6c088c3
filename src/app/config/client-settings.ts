import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { reachableHost } from '../listen.ts'
import { OwnCertificate } from '../tls/own-certificate.ts'
import { loadConfig } from './config.ts'

/** What commands that talk to a broker take from the environment. */
export type ClientSettings = {
  /** The broker that RECORD_BROKER_SERVER names. */
  readonly server: string | undefined
  /** The project that RECORD_BROKER_PROJECT names. */
  readonly project: string | undefined
  /** The broker that listens at RECORD_BROKER_LISTEN, and whether that is set and not the default. */
  readonly local: {
    readonly url: string
    readonly isSet: boolean
    /** Undefined if it uses plain HTTP. */
    readonly certificate?: OwnCertificate | undefined
  }
  /** RECORD_BROKER_TOKEN. It belongs to `server`, or to the local broker if that is undefined. */
  readonly token: string | undefined
  /** Additional certificate authorities in PEM. */
  readonly ca: string | undefined
  /** The folder of the configuration of commands. */
  readonly configFolder: string
  /** The folders in which programs are searched, as in PATH. */
  readonly path: string
  /** Variables that describe the terminal. */
  readonly terminal: { readonly TERM: string | undefined; readonly NO_COLOR: string | undefined }
}

/** @throws ConfigError that names the variable */
export function loadClientSettings(
  environment: Record<string, string | undefined> = process.env,
): ClientSettings {
  const { listen, isListenSet, server, project, token, ca, tls } = loadConfig(environment)
  const scheme = tls === undefined ? 'http' : 'https'
  const { XDG_CONFIG_HOME, PATH = '', TERM, NO_COLOR } = environment
  // The XDG base directory specification 0.8: relative paths are ignored.
  const isValid = XDG_CONFIG_HOME !== undefined && isAbsolute(XDG_CONFIG_HOME)
  return {
    server,
    project,
    local: {
      url: `${scheme}://${reachableHost(listen)}:${listen.port}`,
      isSet: isListenSet,
      certificate: tls && new OwnCertificate(tls.cert),
    },
    token,
    ca,
    configFolder: join(isValid ? XDG_CONFIG_HOME : join(homedir(), '.config'), 'record-broker'),
    path: PATH,
    terminal: { TERM, NO_COLOR },
  }
}
