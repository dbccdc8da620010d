import { networkInterfaces } from "node:os"

interface Listening {
  readonly host: string
  readonly port: number
  /** `REJOIN_HOSTS`. */
  readonly hosts: ReadonlyArray<string>
  /** The names in the certificate, where TLS is served. */
  readonly tls: { readonly names: ReadonlyArray<string>; readonly port: number } | undefined
  /** This machine's own addresses, but loopback. */
  readonly machine: ReadonlyArray<string>
}

const wildcards = new Set(["0.0.0.0", "::", "[::]"])
const loopback = new Set(["127.0.0.1", "localhost", "::1", "[::1]"])

/**
 * Where another machine reaches us, as far as we know: by a name that the operator lists with its scheme, by one of our
 * certificate, by any other that is listed, or by this machine's address. This machine's own where no other can.
 */
export const addressFor = ({ host, hosts, machine, port, tls }: Listening): string => {
  const origin = hosts.find((entry) => entry.includes("://"))
  if (origin !== undefined) return origin.replace(/\/+$/, "")
  const [listed] = hosts
  const name = tls?.names.find((name) => !loopback.has(name)) ?? listed
  if (tls !== undefined && name !== undefined)
    return `https://${name.replace(/:\d+$/, "")}${tls.port === 443 ? "" : `:${tls.port}`}`
  if (listed !== undefined) return `https://${listed}`
  const address = wildcards.has(host) ? machine[0] : loopback.has(host) ? undefined : host
  return `http://${address ?? "127.0.0.1"}:${port}`
}

/** The addresses by which others on the network see this machine. */
export const addresses = (): ReadonlyArray<string> =>
  Object.values(networkInterfaces()).flatMap((found = []) =>
    found.flatMap(({ address, family, internal }) => (family === "IPv4" && !internal ? [address] : []))
  )
