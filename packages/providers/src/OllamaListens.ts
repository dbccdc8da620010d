import { ollamaWire } from "@rejoin/adapter-ollama/OllamaWire"
import { Effect } from "effect"

/** Where Ollama listens: as its own OLLAMA_HOST has it, which may be a bare address that one can only listen on. */
export const ollamaUrl = (host: string | undefined): string => {
  const given = host === undefined || host === "" ? "127.0.0.1" : host
  const full = /^https?:\/\//.test(given) ? given : `http://${given}`
  if (!URL.canParse(full)) return "http://127.0.0.1:11434"
  const url = new URL(full)
  if (url.hostname === "0.0.0.0" || url.hostname === "[::]") url.hostname = "127.0.0.1"
  if (url.port === "" && !full.startsWith("https:") && !/:80(\/|$)/.test(full)) url.port = "11434"
  return url.href.replace(/\/+$/, "")
}

/** Whether Ollama is there now. Looked for at the start, and not waited for. */
export const ollamaListens = (environment: Readonly<Record<string, string>>): Effect.Effect<boolean> =>
  ollamaWire({ url: ollamaUrl(environment["OLLAMA_HOST"]) }).version.pipe(
    Effect.timeout("500 millis"),
    Effect.isSuccess
  )
