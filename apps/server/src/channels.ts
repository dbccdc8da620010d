import { keepLoopbackDirect } from "@rejoin/client/Loopback"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { hashOfCode, newCode, pairingMinutes } from "@rejoin/channels/Pairing"
import { ChannelNotFound, InvalidInput, PeerNotFound } from "@rejoin/contracts/Errors"
import type { Timestamp } from "@rejoin/contracts/Time"
import * as Database from "@rejoin/persistence/Database"
import { Console, DateTime, Effect, FileSystem } from "effect"
import { beside, besideDirectory, besideStore, serve } from "./Beside.ts"
import { Configuration } from "./Configuration.ts"
import * as Failing from "./Failing.ts"

keepLoopbackDirect(process.env)

// `rejoin channel serve`, and for the channels that it runs: `pair`, `unpair`, `peers` and `revoke`, whose answer is printed
// as JSON. They work on its memory, whether it runs or not.

const [what = "serve", id = "", person = ""] = process.argv.slice(2)

const memory = Effect.gen(function* () {
  const configs = yield* beside
  if (!configs.some((config) => config.id === id))
    return yield* new ChannelNotFound({ channel: id, message: `There is no channel ${id}.` })
  const fs = yield* FileSystem.FileSystem
  const directory = yield* besideDirectory
  yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
  const answer = yield* Effect.gen(function* () {
    const store = yield* besideStore
    switch (what) {
      case "pair": {
        const code = newCode()
        const until = DateTime.add(yield* DateTime.now, { minutes: pairingMinutes })
        const expiresAt = DateTime.formatIso(until) as Timestamp
        yield* store.offer(id, hashOfCode(code), expiresAt)
        return { code, expiresAt }
      }
      case "unpair":
        yield* store.withdraw(id)
        return {}
      case "peers":
        return { items: yield* store.peers(id) }
      case "revoke":
        if (!(yield* store.revoke(id, person)))
          return yield* new PeerNotFound({ peer: person, message: `${person} was not let in by a code.` })
        return {}
      default:
        return yield* new InvalidInput({ message: `There is no such work: ${what}` })
    }
  }).pipe(Effect.provide(Database.layer(`${directory}/rejoin.db`)))
  yield* Console.log(JSON.stringify(answer))
})

Effect.gen(function* () {
  if (what === "serve") yield* serve
  else yield* memory
}).pipe(
  Effect.provide(Configuration.layer),
  Effect.scoped,
  Effect.tapCause(Failing.tell),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: Failing.exitCode })
)
