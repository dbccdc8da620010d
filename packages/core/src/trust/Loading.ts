import { DirectoryNotTrusted } from "@rejoin/contracts/Errors"
import type { Brought, TrustedDirectory } from "@rejoin/contracts/Trust"
import { Data } from "effect"
import type { Environment } from "../providers/ResumeCursor.ts"
import type { ThreadRecord } from "../store/Records.ts"

/** What one directory of a session brings, and what of it was trusted. */
export interface Place {
  readonly path: string
  readonly found: ReadonlyArray<Brought>
  readonly trusted: TrustedDirectory | undefined
}

/**
 * What an agent may load of a session's directories. `key` changes with every change of what is loaded; `KeptOut` says
 * what the agent is kept from.
 */
export type Loading = Data.TaggedEnum<{
  Nothing: {}
  KeptOut: { readonly found: ReadonlyArray<Brought> }
  Trusted: { readonly key: string }
  Refused: { readonly error: DirectoryNotTrusted }
}>
export const Loading = Data.taggedEnum<Loading>()

export const identityOf = ({ agent, file, hash }: Brought): string => `${agent}\0${file}\0${hash}`

/** Whether all of it was trusted, as it is now. */
export const covers = (trusted: TrustedDirectory | undefined, found: ReadonlyArray<Brought>): boolean => {
  const known = new Set(trusted?.found.map(identityOf))
  // What could not be read could not be looked at.
  return found.every((brought) => brought.hash !== "" && known.has(identityOf(brought)))
}

/**
 * Decides it, once for all agents: what a directory brings is loaded only where its owner has trusted just that. An
 * agent that cannot be kept from loading it does not start there until then (law 4).
 */
export const loadingOf = (places: ReadonlyArray<Place>, keepsOut: (brought: Brought) => boolean): Loading => {
  const bringing = places.filter(({ found }) => found.length > 0)
  if (bringing.length === 0) return Loading.Nothing()
  const open = bringing.filter(({ found, trusted }) => !covers(trusted, found))
  if (open.length === 0) {
    return Loading.Trusted({ key: bringing.flatMap(({ found }) => found.map(identityOf)).join("\0\0") })
  }
  const refused = open.find(({ found }) => !found.every(keepsOut))
  return refused === undefined
    ? Loading.KeptOut({ found: open.flatMap(({ found }) => found) })
    : Loading.Refused({ error: notTrusted(refused) })
}

/** `found`, in words: the files, and what of them matters. */
export const listed = (found: ReadonlyArray<Brought>): string =>
  found.map(({ file, what }) => `${file} (${what})`).join(", ")

export const notTrusted = ({ found, path }: Omit<Place, "trusted">): DirectoryNotTrusted =>
  new DirectoryNotTrusted({
    path,
    found,
    message: `${path} brings what could run code or widen what the agent may do, and is not trusted: ${listed(found)}.`,
    hint: "Look at it, then trust it: `rejoin trust`, or on the page. A change of it is asked about again."
  })

/** Nobody can have looked at it. */
export const notReadable = ({ found, path }: Omit<Place, "trusted">): DirectoryNotTrusted =>
  new DirectoryNotTrusted({
    path,
    found,
    message: `What ${path} brings cannot be trusted, since it cannot be read as a whole: ${listed(found)}.`,
    hint: "Make it readable, or smaller, or take it away."
  })

/** What a thread's agent is started with. Without `loading` nothing of its directories: enough to look upstream. */
export const environmentOf = (
  { additionalDirectories, extraEnv }: Pick<ThreadRecord, "additionalDirectories" | "extraEnv">,
  loading: Loading = Loading.Nothing()
): Environment => ({
  extraEnv,
  additionalDirectories,
  loads: loading._tag === "Trusted" ? loading.key : null
})
