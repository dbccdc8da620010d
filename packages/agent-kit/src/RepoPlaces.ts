import { Effect, type FileSystem, Option } from "effect"
import { dirname, join, resolve } from "node:path"
import { textWithin } from "./RepoFiles.ts"

const linkTo = /^gitdir: (.+)\n?$/
const head = /^(?:ref: refs\/\S+|[0-9a-f]{40}|[0-9a-f]{64})\n?$/

/** A checkout of git's: where its own directory is, and the one that it shares with others. */
interface Checkout {
  readonly common: string
}

const sideBySide = <A>(all: ReadonlyArray<Effect.Effect<A>>) => Effect.all(all, { concurrency: "unbounded" })

/**
 * The checkout whose root a directory is for certain. Undefined where git might see it otherwise: it passes over what
 * is only named `.git`, and a repository's own settings may say that its files are elsewhere. An agent that asks git
 * looks further up then.
 */
const checkoutAt = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, place: string) {
  const is = (type: FileSystem.File.Type, path: string) =>
    fs.stat(path).pipe(
      Effect.map((found) => found.type === type),
      Effect.orElseSucceed(() => false)
    )
  const read = (path: string) =>
    Effect.map(textWithin(path, dirname(path)), (found) => (typeof found === "string" ? found : found.text))
  /** git does nothing in a repository of another user's. */
  const isOwn = (path: string) =>
    fs.stat(path).pipe(
      Effect.map(({ uid }) => Option.getOrUndefined(uid) === process.getuid?.()),
      Effect.orElseSucceed(() => false)
    )
  const isWhole = Effect.fnUntraced(function* (git: string) {
    const parts = [
      isOwn(git),
      isOwn(place),
      is("Directory", join(git, "objects")),
      is("Directory", join(git, "refs"))
    ]
    const settings = [read(join(git, "config")), read(join(git, "config.worktree"))]
    const [there, texts] = yield* Effect.all([sideBySide(parts), sideBySide(settings)])
    if (!there.every(Boolean)) return false
    return texts.every((text) => text !== "unreadable" && !/worktree\s*=|\[include/i.test(text))
  })
  const git = join(place, ".git")
  if (yield* is("Directory", git)) {
    return head.test(yield* read(join(git, "HEAD"))) && (yield* isWhole(git))
      ? ({ common: git } satisfies Checkout)
      : undefined
  }
  const own = linkTo.exec(yield* read(git))?.[1]
  if (own === undefined) return undefined
  const linked = resolve(place, own)
  const back = (yield* read(join(linked, "gitdir"))).trim()
  const shared = (yield* read(join(linked, "commondir"))).trim()
  if (resolve(linked, back) !== git || ["absent", "unreadable"].includes(shared)) return undefined
  const common = resolve(linked, shared)
  return head.test(yield* read(join(linked, "HEAD"))) && (yield* isWhole(common))
    ? ({ common } satisfies Checkout)
    : undefined
})

/** A directory and those above it: to the root of its checkout, or of the disk where there is none for certain. */
export const placesFrom = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, directory: string) {
  const places = [directory]
  for (let place = directory; ; place = dirname(place)) {
    if (place !== directory) places.push(place)
    if ((yield* checkoutAt(fs, place)) !== undefined || place === dirname(place)) return places
  }
})

/**
 * As `placesFrom`, for an agent that looks up to the root of the disk in any case, and beside a linked worktree into
 * the checkout that it was made from.
 */
export const placesBeyond = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, directory: string) {
  const places = [directory]
  for (let place = directory; place !== dirname(place); place = dirname(place)) places.push(dirname(place))
  for (const place of places) {
    const checkout = yield* checkoutAt(fs, place)
    if (checkout === undefined) continue
    const main = dirname(checkout.common)
    return places.includes(main) ? places : [...places, main]
  }
  return places
})
