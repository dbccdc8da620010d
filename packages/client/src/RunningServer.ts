import { ServerFileJson } from "@rejoin/contracts/ServerFile"
import { Schema } from "effect"

export interface Address {
  readonly url: string
  readonly token: string
}

/** Nobody works there: none was ever started, or one is just being started again. */
export class NoServer extends Error {
  readonly _tag = "NoServer"
}

const decode = Schema.decodeUnknownSync(ServerFileJson)

/**
 * The server that works on a data directory of this machine: REJOIN_HOME, else `~/.rejoin`. Rejects where none was ever
 * started there. One that has ended is found out by the first call.
 */
export const runningServer = async (home?: string): Promise<Address> => {
  const [{ readFile }, { homedir }, { join }] = await Promise.all([
    import("node:fs/promises"),
    import("node:os"),
    import("node:path")
  ])
  const directory = home ?? process.env["REJOIN_HOME"] ?? join(homedir(), ".rejoin")
  const read = (name: string) =>
    readFile(join(directory, name), "utf8").catch(() => {
      throw new NoServer(`No server works on ${directory}: start one with \`rejoin serve\`.`)
    })
  const { url } = decode(await read("server.json"))
  return { url, token: (await read("token")).trim() }
}
