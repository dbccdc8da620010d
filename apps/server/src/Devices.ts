import { BrowserKey } from "@rejoin/contracts/Browser"
import { Device } from "@rejoin/contracts/Device"
import { DeviceNotFound, StoreFailed, TooManyRequests } from "@rejoin/contracts/Errors"
import { now } from "@rejoin/contracts/Time"
import { Context, Deferred, Effect, Layer, Redacted, Schema, Struct } from "effect"
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import { makeKept } from "./KeptFile.ts"
import type { Known } from "./KeyProof.ts"
import { Token } from "./Token.ts"

const most = 50

/** It is written down no more often than this, in ms. */
const seenEvery = 60_000

const Entry = Schema.Struct({
  ...Device.fields,
  /** Of one whose browser lets itself in again, at this address. */
  key: Schema.optionalKey(BrowserKey),
  origin: Schema.optionalKey(Schema.String)
})
type Entry = typeof Entry.Type

const shown = (entry: Entry): Device => Struct.omit(entry, ["key", "origin"])

/**
 * Phones and other machines that the owner let in. Each has a token of its own, which is made of its id and the server's
 * token: nothing of it is kept, another server's token locks all of them out, and one that is revoked is out at once.
 */
export class Devices extends Context.Service<
  Devices,
  {
    readonly add: (
      device: Pick<Device, "name" | "mode" | "agent">,
      by: { readonly key?: string | undefined; readonly origin: string }
    ) => Effect.Effect<Device, TooManyRequests | StoreFailed>
    readonly tokenOf: (id: string) => string
    /** Whose token it is; undefined where it is none of theirs. */
    readonly owning: (token: string) => Effect.Effect<Device | undefined>
    /** What it proves itself by, at that address. */
    readonly find: (id: string, origin: string) => Effect.Effect<Known | undefined>
    readonly list: Effect.Effect<ReadonlyArray<Device>>
    /** Out at once. Fails where that cannot be written down: then it is in again after a restart. */
    readonly revoke: (id: string) => Effect.Effect<void, DeviceNotFound | StoreFailed>
    /** Done when it is revoked: what it reads then ends. */
    readonly awaitRevoked: (id: string) => Effect.Effect<void>
  }
>()("@rejoin/server/Devices") {
  static readonly layer = Layer.effect(
    Devices,
    Effect.gen(function* () {
      const file = yield* makeKept("devices", Entry)
      const { value } = yield* Token
      // Asked for with every request of a device: the file is written by us alone.
      let devices = yield* file.read

      const ends = new Map<string, Deferred.Deferred<void>>()
      const endOf = (id: string) => {
        const end = ends.get(id) ?? Deferred.makeUnsafe<void>()
        ends.set(id, end)
        return end
      }

      const change = (next: (all: ReadonlyArray<Entry>) => ReadonlyArray<Entry>) =>
        Effect.suspend(() => {
          devices = next(devices)
          return Effect.mapError(
            file.change(() => devices),
            ({ message }) => new StoreFailed({ message: `The list of devices cannot be written: ${message}` })
          )
        })
      const tokenOf = (id: string): string => {
        const proof = createHmac("sha256", Redacted.value(value)).update(`device ${id}`).digest("base64url")
        return `rjd_${id}_${proof}`
      }
      const isToken = (id: string, given: string): boolean => {
        const [expected, actual] = [Buffer.from(tokenOf(id)), Buffer.from(given)]
        return expected.length === actual.length && timingSafeEqual(expected, actual)
      }
      const seen = Effect.fnUntraced(function* ({ id, lastSeenAt }: Entry) {
        const at = yield* now
        if (Date.parse(at) - Date.parse(lastSeenAt) < seenEvery) return
        yield* Effect.ignore(
          change((all) => all.map((one) => (one.id === id ? { ...one, lastSeenAt: at } : one)))
        )
      })

      return Devices.of({
        add: Effect.fn("Devices.add")(function* ({ agent, mode, name }, { key, origin }) {
          if (devices.length >= most) {
            return yield* new TooManyRequests({
              message: `There are ${most} devices already.`,
              hint: "Revoke one: rejoin devices --revoke <id>."
            })
          }
          const at = yield* now
          const id = randomBytes(9).toString("hex")
          const device: Entry = {
            id,
            name,
            mode,
            agent: agent.slice(0, 300),
            since: at,
            lastSeenAt: at,
            ...(key !== undefined && { key, origin })
          }
          yield* change((all) => [...all, device])
          return shown(device)
        }),
        tokenOf,
        owning: Effect.fnUntraced(function* (token: string) {
          const id = /^rjd_([0-9a-f]+)_/.exec(token)?.[1]
          const device = devices.find((one) => one.id === id)
          if (device === undefined || !isToken(device.id, token)) return undefined
          yield* seen(device)
          return shown(device)
        }),
        find: (id, origin) =>
          Effect.sync(() => {
            const device = devices.find((one) => one.id === id && one.origin === origin)
            return device?.key === undefined ? undefined : { key: device.key, origin }
          }),
        list: Effect.sync(() =>
          devices.map(shown).toSorted((a, b) => (a.lastSeenAt < b.lastSeenAt ? 1 : -1))
        ),
        revoke: Effect.fn("Devices.revoke")(function* (id) {
          if (!devices.some((one) => one.id === id)) {
            return yield* new DeviceNotFound({
              device: id,
              message: `No device ${id} was let in.`,
              hint: "rejoin devices lists them."
            })
          }
          yield* change((all) => all.filter((one) => one.id !== id)).pipe(
            Effect.ensuring(
              Effect.suspend(() => {
                const end = endOf(id)
                ends.delete(id)
                return Deferred.succeed(end, undefined)
              })
            )
          )
        }),
        awaitRevoked: (id) =>
          Effect.suspend(() =>
            devices.some((one) => one.id === id) ? Deferred.await(endOf(id)) : Effect.void
          )
      })
    })
  )
}
