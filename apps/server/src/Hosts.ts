import { isIP } from "node:net"

/** Which names of Host and Origin are this server's. */
export interface Hosts {
  readonly isHost: (host: string) => boolean
  readonly isOrigin: (origin: string) => boolean
}

const wildcards = new Set(["0.0.0.0", "::", "[::]"])

interface Name {
  readonly name: string
  /** Empty where it is left out: the scheme's own. */
  readonly port: string
}

/** `name:port` of a Host header. */
const parse = (host: string): Name | undefined => {
  const [, name, port = ""] = /^(\[[0-9a-f:.]+\]|[^:/?#@\s]+)(?::(\d+))?$/i.exec(host) ?? []
  return name === undefined ? undefined : { name: name.toLowerCase(), port }
}

/** Undefined for `name:port`, which would be a scheme and a path. */
const originOf = (origin: string): URL | undefined =>
  origin.includes("://") && URL.canParse(origin) ? new URL(origin) : undefined

/**
 * A page of another site reaches us through a name that it points at our address (DNS rebinding): so the name must be
 * ours. An address is no such name: who listens for other machines is reached by any that the machine has. Names that
 * the operator lists (`REJOIN_HOSTS`) count with any port, as a proxy before us has its own.
 */
export const hostsOf = (options: {
  readonly host: string
  readonly port: number
  readonly listed: ReadonlyArray<string>
}): Hosts => {
  const { host, listed, port } = options
  const own = new Set([host.toLowerCase(), "127.0.0.1", "localhost", "[::1]"])
  const open = wildcards.has(host)
  // One that is listed with its scheme is that origin and no other.
  const origins = listed.flatMap((entry) => originOf(entry) ?? [])
  const names = listed.filter((entry) => originOf(entry) === undefined)
  const named = (entries: ReadonlyArray<string>) => entries.flatMap((entry) => parse(entry) ?? [])
  const isAmong =
    (entries: ReadonlyArray<Name>) =>
    ({ name, port: asked }: Name): boolean =>
      entries.some((entry) => entry.name === name && (entry.port === "" || entry.port === asked)) ||
      (asked === String(port) && (own.has(name) || (open && isIP(name.replace(/^\[|\]$/g, "")) !== 0)))
  const asHost = isAmong(named([...names, ...origins.map((origin) => origin.host)]))
  const asOrigin = isAmong(named(names))
  return {
    isHost: (host) => {
      const parsed = parse(host)
      return parsed !== undefined && asHost(parsed)
    },
    isOrigin: (origin) => {
      const url = originOf(origin)
      if (url === undefined || !["http:", "https:"].includes(url.protocol)) return false
      const parsed = parse(url.host)
      return (
        origins.some((entry) => entry.origin === url.origin) || (parsed !== undefined && asOrigin(parsed))
      )
    }
  }
}
