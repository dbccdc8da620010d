import { StoreId } from "@rejoin/contracts/Ids"
import { Clock, Effect, FileSystem, Option } from "effect"
import { hostname } from "node:os"
import { join } from "node:path"

/** By which a data directory is known again: on a new disk, or in a container that was made anew around it. */
const markFile = ".rejoin-store"

const isMark = (text: string) => /^[0-9a-f-]{36}$/.test(text)

/** A UUID of version 7: it begins with when it was made. */
const newMark = Effect.map(Clock.currentTimeMillis, (at) => {
  const time = at.toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`
})

/** When the mark was made that an id ends with; those of older versions do not tell, and are older. */
const madeAt = (id: StoreId): number => {
  const mark = id.slice(-36)
  return isMark(mark) && mark[14] === "7" ? Number.parseInt(mark.slice(0, 13).replace("-", ""), 16) : 0
}

/** The machine's own id, where the system has one: two machines may have one directory at one path. */
const machineId = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const id = yield* fs.readFileString("/etc/machine-id").pipe(
    Effect.map((text) => text.trim()),
    Effect.option
  )
  return Option.getOrElse(
    Option.filter(id, (text) => text !== ""),
    hostname
  )
})

/** Which data directory this is. */
export interface Store {
  readonly id: StoreId
  /** Whether a cursor that was written for this id leads here. */
  readonly is: (id: StoreId) => boolean
  /** Whether what this id names was at this place, and is gone: nothing of ours is in what is there now, or what is came later. */
  readonly emptied: (id: StoreId) => boolean
}

/**
 * A data directory is known by its realpath and our mark in it: a copy at another path is another one, and so is what
 * was made anew at the same path. Where there is no mark (it may not be written, or nothing of ours was begun there
 * yet), by machine, realpath and inode, as before there were marks. The device's number is left out: on btrfs, overlays
 * and network file systems it is another one after each mount.
 */
export const storeOf = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const real = yield* Effect.option(fs.realPath(directory))
  const machine = yield* machineId
  // Not there yet, or no more: another one than any that was.
  if (Option.isNone(real)) {
    const id = StoreId.make(`${machine}:${directory}:missing`)
    const was = (other: StoreId) =>
      other.startsWith(`${directory}:`) || other.startsWith(`${machine}:${directory}:`)
    return { id, is: (other) => other === id, emptied: was } satisfies Store
  }
  const inode = yield* fs.stat(real.value).pipe(
    Effect.map(({ ino }) => Option.getOrElse(ino, () => 0)),
    Effect.orElseSucceed(() => 0)
  )
  const place = StoreId.make(`${machine}:${real.value}:${inode}`)
  const mark = yield* fs.readFileString(join(real.value, markFile)).pipe(
    Effect.map((text) => text.trim()),
    Effect.option
  )
  const id = Option.match(Option.filter(mark, isMark), {
    onNone: () => place,
    onSome: (mark) => StoreId.make(`${real.value}:${mark}`)
  })
  const is = (other: StoreId) => other === id || other === place
  const was = (other: StoreId) =>
    other.startsWith(`${real.value}:`) || other.startsWith(`${machine}:${real.value}:`)
  // A mark is made only where there is none: what had one before was gone by then.
  const emptied = (other: StoreId) => !is(other) && was(other) && (id === place || madeAt(id) > madeAt(other))
  return { id, is, emptied } satisfies Store
})

/**
 * Which directory is at this path now, made where there is none: a server works on what was there when it was started, and
 * one whose data was deleted since must not serve who comes to what is there instead.
 */
export const placeOf = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.ignore(fs.makeDirectory(directory, { recursive: true, mode: 0o700 }))
  return yield* fs.stat(directory).pipe(
    Effect.map(({ ino }) => String(Option.getOrElse(ino, () => 0))),
    Effect.orElseSucceed(() => "absent")
  )
})

/** As `storeOf`, with our mark in it from now on: something of ours is begun there. */
export const markedStoreOf = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const real = yield* Effect.option(fs.realPath(directory))
  if (Option.isSome(real)) {
    const mark = yield* newMark
    // One that is there stays; who is not let write goes without.
    yield* Effect.ignore(
      fs.writeFileString(join(real.value, markFile), `${mark}\n`, { flag: "wx", mode: 0o600 })
    )
  }
  return yield* storeOf(directory)
})
