import { Console, Effect } from "effect"
import { CliOutput } from "effect/cli"

/** A wrong call is told in a line or two, and where the help is; the help itself only where it is asked for. */
export const layer = (json: boolean) =>
  CliOutput.layerPresenter({
    present: (event) => {
      if (event._tag !== "InvalidInvocation") return CliOutput.defaultPresenter.present(event)
      const messages = event.errors.map(({ message }) => message)
      if (json) {
        const error = { _tag: "InvalidInput", message: messages.join(" ") }
        return Console.error(JSON.stringify(error))
      }
      return Effect.andThen(
        Effect.forEach(messages, (message) => Console.error(message), { discard: true }),
        Console.error(`${event.commandPath.join(" ")} --help shows what it takes.`)
      )
    }
  })
