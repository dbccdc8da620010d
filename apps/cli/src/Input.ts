import { InvalidInput } from "@rejoin/contracts/Errors"
import { Console, Effect, Option, Stdio, Stream } from "effect"
import { fstatSync } from "node:fs"

const isPiped = Effect.sync(() => {
  try {
    const input = fstatSync(0)
    return input.isFIFO() || input.isFile()
  } catch {
    return false
  }
})

/**
 * What is given, and where that is wanted what is piped in beneath it. A standard input that is only inherited may never
 * end, or be somebody else's: with something given it is not read unasked, and where there may be something, that is told.
 */
export const inputOf = Effect.fnUntraced(function* (given: Option.Option<string>, wanted: boolean) {
  const stdio = yield* Stdio.Stdio
  const reads = wanted || (Option.isNone(given) && !(yield* stdio.stdinIsTerminal))
  if (!reads && (yield* isPiped)) {
    yield* Console.error("What is piped in was not read: --stdin sends it too.")
  }
  const piped = reads ? yield* stdio.stdin.pipe(Stream.decodeText(), Stream.mkString) : ""
  const input = [...Option.toArray(given), piped].filter((part) => part.trim() !== "").join("\n\n")
  if (input !== "") return input
  return yield* new InvalidInput({
    field: "input",
    message: "There is nothing to say.",
    hint: 'rejoin send "…", or … | rejoin send'
  })
})
