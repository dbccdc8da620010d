import type { AcpProfile } from "../AcpProfile.ts"
import { copilot } from "./Copilot.ts"
import { gemini } from "./Gemini.ts"
import { qwen } from "./Qwen.ts"
import { unknownAgent } from "./Unknown.ts"

/** Those of which something is known. */
export const measured: ReadonlyArray<AcpProfile> = [copilot, qwen, gemini]

/** What is known of an agent, by the name that it gives itself. */
export const profileOf = (name: string): AcpProfile =>
  measured.find((profile) => profile.name === name) ?? unknownAgent(name)

/** What each of them needs to be set before it is known which one it is. */
export const everyEnvironment: Readonly<Record<string, string>> = Object.assign(
  {},
  ...measured.map(({ env }) => env)
) as Readonly<Record<string, string>>
