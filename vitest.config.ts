import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "scripts/**/*.test.ts"],
          testTimeout: 60_000
        }
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/src/**/*.test.ts"],
          // The end of waiting for an event that does not come; a loaded machine takes minutes for some.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // Each file starts real agents; two at a time is what two cores carry.
          maxWorkers: 2
        }
      }
    ]
  }
})
