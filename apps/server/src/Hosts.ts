import { isIP } from "node:net"

/** Which names of Host and Origin are this server's. */
export interface Hosts {
  readonly isHost: (host: string) => boolean
  readonly isOrigin: (origin: string) => boolean
}

const wildcards = new Set(["0.0.0.0", "::", "[::]"])

/** `name:port` of a Host header, which leaves out the port where it is the scheme's own. */
const parse = (host: string): { readonly name: string; readonly port: string } | undefined => {
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
  const named = listed.map((entry) => originOf(entry)?.host ?? entry).flatMap((entry) => parse(entry) ?? [])
  const open = wildcards.has(host)
  const isOurs = ({ name, port: asked }: { readonly name: string; readonly port: string }) => {
    if (named.some((entry) => entry.name === name && (entry.port === "" || entry.port === asked))) return true
    if (asked !== String(port)) return false
    return own.has(name) || (open && isIP(name.replace(/^\[|\]$/g, "")) !== 0)
  }
  const isHost = (host: string) => {
    const parsed = parse(host)
    return parsed !== undefined && isOurs(parsed)
  }
  return {
    isHost,
    isOrigin: (origin) => {
      const url = originOf(origin)
      if (url === undefined) return false
      // One that is listed with its scheme is that origin and no other.
      const whole = listed.filter((entry) => entry.includes("://"))
      if (whole.some((entry) => originOf(entry)?.host === url.host)) return whole.includes(url.origin)
      return isHost(url.host)
    }
  }
}
