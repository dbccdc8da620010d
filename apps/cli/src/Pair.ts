import { DeviceName } from "@rejoin/contracts/Device"
import { DeviceNotFound } from "@rejoin/contracts/Errors"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { visible } from "@rejoin/shown/Visible"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { renderUnicodeCompact } from "uqr"
import { Connection } from "./Connection.ts"
import { print, printTable } from "./Output.ts"
import { tableOf, timeOf } from "./Text.ts"

const here = new Set(["127.0.0.1", "localhost"])

const unreachable = `No other machine reaches this server yet: it listens on this one alone. Give it TLS or a proxy,
and name where that is: docs/phone.md.`

const plainText =
  "Without TLS whoever is on this network reads along, and the phone keeps nothing: docs/phone.md."

/** What is to be known of the way to it. */
const aboutLink = (link: string): ReadonlyArray<string> => {
  const { hostname, protocol } = new URL(link)
  if (here.has(hostname)) return [unreachable]
  return protocol === "http:" ? [plainText] : []
}

const paired = Command.make(
  "pair",
  {
    name: Flag.String("name").pipe(
      Flag.withDescription("What the device is called in lists"),
      Flag.withSchema(DeviceName),
      Flag.withDefault("Phone")
    ),
    mode: Flag.Literals("mode", RuntimeMode.literals).pipe(
      Flag.withAlias("m"),
      Flag.withDescription("The highest mode that it may use; in threads with a higher one it only reads"),
      Flag.withDefault("approval-required")
    )
  },
  Effect.fn(function* ({ mode, name }) {
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    const code = yield* client.devices.pair({ payload: { name, mode } })
    yield* print(code, ({ expiresAt, link }) =>
      [
        renderUnicodeCompact(link, { border: 2 }),
        link,
        `It lets ${visible(name)} in, with ${mode} at most: once, until ${timeOf(expiresAt)}.`,
        ...aboutLink(link)
      ].join("\n")
    )
  })
).pipe(Command.withDescription("Let a phone in: a code to scan, good once, for ten minutes"))

const devices = Command.make(
  "devices",
  {
    revoke: Flag.String("revoke").pipe(
      Flag.withDescription("Let this one in no more, by its id or a part of it"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ revoke }) {
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    if (Option.isSome(revoke)) {
      const known = (yield* client.devices.list()).items.filter(({ id }) => id.includes(revoke.value))
      const [found] = known
      if (found === undefined || known.length > 1) {
        return yield* new DeviceNotFound({
          device: revoke.value,
          message: found === undefined ? "No such device was let in." : "More than one device is called so.",
          hint: "rejoin devices lists them."
        })
      }
      yield* client.devices.revoke({ params: { id: found.id } })
      yield* Console.error(visible(`${found.name} is out.`))
    }
    const { items } = yield* client.devices.list()
    yield* printTable(items, (items) =>
      items.length === 0
        ? "No device was let in. rejoin pair lets one in."
        : tableOf([
            ["DEVICE", "NAME", "MODE", "LAST SEEN"],
            ...items.map(({ id, lastSeenAt, mode, name }) => [id, name, mode, timeOf(lastSeenAt)])
          ])
    )
  })
).pipe(Command.withDescription("List the devices that were let in; revoke one"))

export const pairing = [paired, devices] as const
