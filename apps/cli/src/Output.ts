import type { RejoinClient } from "@rejoin/client/Client"
import { Console, Effect, Stdio, Terminal } from "effect"
import { visible } from "@rejoin/shown/Visible"
import { root } from "./Root.ts"

/** Prints what was found: as JSON where it is wanted, else as `text` has it for people. */
export const print = <A>(value: A, text: (value: A) => string) =>
  Effect.flatMap(root, ({ json }) => Console.log(json ? JSON.stringify(value) : visible(text(value))))

/** The same for a table: on a terminal its rows are as long as that is wide, and no longer. */
export const printTable = Effect.fnUntraced(function* <A>(value: A, text: (value: A) => string) {
  const terminal = yield* Terminal.Terminal
  const stdio = yield* Stdio.Stdio
  const columns = (yield* stdio.stdoutIsTerminal) ? yield* terminal.columns : Infinity
  const cut = (line: string) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line)
  yield* print(value, (value) => text(value).split("\n").map(cut).join("\n"))
})

/** The thread as it is afterwards, for programs; for people, what was done. */
export const after = Effect.fnUntraced(function* (client: RejoinClient, id: string, text: string) {
  const thread = yield* client.threads.get({ params: { id } })
  yield* print(thread, () => text)
})
