import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

// On a fresh clone nothing is known of how long a file takes, and the largest are first: these are small and take long.
const largest = [
  "OpenCodeConformance",
  "ClaudeTraps",
  "CodexTraps",
  "ClaudeConformance",
  "CodexConformance",
  "QwenConformance.long",
  "GeminiConformance.long",
  "Crash.long",
  "Run.long",
  "Channels.long",
  "CopilotConformance.long",
  "Limits.long"
]
const rank = ({ moduleId }: TestSpecification) => {
  const at = largest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
  return at < 0 ? largest.length : at
}

/** Begins with what takes longest: at the end no worker waits for another. */
class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

// The agents have races of their own. What a test against one meets once is told at the run's end, and is a fault to be
// found: the run's verdict is what it meets twice. Doubles have no such excuse.
const retry = 1

const long = "**/src/**/*.long.test.ts"

export default defineConfig({
  test: {
    passWithNoTests: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "scripts/**/*.test.ts"],
          exclude: [long],
          // None of them changes what the others see: most of the time went to loading the same modules again.
          isolate: false,
          globalSetup: ["packages/testkit/src/postgresSetup.ts"],
          // As below.
          testTimeout: 300_000
        }
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/src/**/*.test.ts"],
          exclude: [long],
          // The end of waiting for an event that does not come; a loaded machine takes minutes for some.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          retry,
          // Each file starts real agents; two at a time is what two cores carry.
          maxWorkers: 2
        }
      },
      {
        // Fleets, seeds and crashes by the dozen: `npm run test:long`.
        test: {
          name: "long",
          include: [long],
          globalSetup: ["packages/testkit/src/postgresSetup.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          retry,
          // Two cores carry three: there is always one that waits for a restart, or for the clock of an agent.
          maxWorkers: 3
        }
      }
    ]
  }
})
