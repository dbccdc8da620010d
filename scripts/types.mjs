// Type-checks the package in the working directory.
import { compile } from "./compiler.mjs"

process.exit(compile(["-p", "tsconfig.json", ...process.argv.slice(2)]))
