// Builds the package in the working directory into `dist`, as it is published: JavaScript and its types, no tests.
// What it depends on is built before, and read from there (the condition `built`).
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { compile } from "./compiler.mjs"

rmSync("dist", { recursive: true, force: true })
const config = join("node_modules", ".build.tsconfig.json")
const base = JSON.parse(readFileSync("tsconfig.json", "utf8"))
writeFileSync(
  config,
  JSON.stringify({
    extends: "../tsconfig.json",
    include: [...base.include].map((path) => `../${path}`),
    exclude: ["../src/**/*.test.ts"],
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rootDir: "../src",
      outDir: "../dist",
      customConditions: ["built"]
    }
  })
)
process.exit(compile(["-p", config]))
