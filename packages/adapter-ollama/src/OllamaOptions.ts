import type { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { Redacted } from "effect"

/** `ollama`: its own API. `openai`: chat completions, as vLLM, LM Studio and llama.cpp have them. */
export type WireName = "ollama" | "openai"

export interface OllamaOptions {
  readonly id: ProviderInstanceId
  readonly wire: WireName
  /** Of Ollama without a path; of the others up to and with `/v1`. */
  readonly url: string
  readonly key?: Redacted.Redacted | undefined
  /** Model for threads that name none; without it the first that the server lists. */
  readonly model?: string | undefined
  /** The window in tokens that Ollama is asked for; without it 16,384, or what the model has where that is less. */
  readonly context?: number | undefined
  /** Where the conversations are kept: a directory of this instance alone. */
  readonly directory: string
}
