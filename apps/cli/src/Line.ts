import { Effect, Terminal } from "effect"
import { createInterface } from "node:readline"

/** In ms: lines that come closer together than that were pasted, and are one message. */
const together = 30

/** What was said here before, the last first: Up brings it back. */
let history: Array<string> = []

/**
 * A message at the prompt. What is pasted is one message, however many lines it has; what was typed while nobody asked is
 * not lost. Fails with QuitError on Ctrl-C and Ctrl-D.
 */
export const readMessage = (prompt: string): Effect.Effect<string, Terminal.QuitError> =>
  Effect.callback<string, Terminal.QuitError>((resume) => {
    const reading = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      history,
      prompt
    })
    const lines: Array<string> = []
    let waiting: ReturnType<typeof setTimeout> | undefined
    const end = (result: Effect.Effect<string, Terminal.QuitError>) => {
      clearTimeout(waiting)
      reading.removeAllListeners()
      reading.close()
      resume(result)
    }
    const leave = () => {
      process.stdout.write("\n")
      end(Effect.fail(new Terminal.QuitError()))
    }
    reading.on("history", (kept) => {
      history = kept
    })
    reading.on("line", (line) => {
      lines.push(line)
      clearTimeout(waiting)
      // A last line without an end is still being written.
      const done = () => {
        if (reading.line === "") end(Effect.succeed(lines.join("\n")))
      }
      waiting = setTimeout(done, together)
    })
    reading.on("SIGINT", leave)
    reading.on("close", leave)
    reading.prompt()
    return Effect.sync(() => {
      clearTimeout(waiting)
      reading.removeAllListeners()
      reading.close()
    })
  })
