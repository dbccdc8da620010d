import type { Responder } from "@rejoin/model-server/Model"
import { ModelServer } from "@rejoin/model-server/ModelServer"
import { Context, Effect, FileSystem, Layer, Path } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { type AnyAgent, instanceOf } from "./Agents.ts"
import { scripted } from "./Scripted.ts"

/**
 * A machine of its own: homes for the agents, a repository with two worktrees and a directory outside of it, and the
 * scripted model, which keeps so many of its newest requests. `settle` makes the same places once more, elsewhere.
 * Everything ends with the scope.
 */
export const makeGround = Effect.fn("makeGround")(function* (
  agents: ReadonlyArray<AnyAgent>,
  respond: Responder = scripted,
  keep = 10_000
) {
  const fs = yield* FileSystem.FileSystem
  const { join } = yield* Path.Path
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const root = yield* Effect.flatMap(fs.makeTempDirectoryScoped({ prefix: "rejoin-e2e-" }), fs.realPath)
  const model = Context.get(yield* Layer.build(ModelServer.layer(respond, { keep })), ModelServer)
  const at = (name: string) => join(root, name)

  const git = (cwd: string, ...args: ReadonlyArray<string>) =>
    Effect.flatMap(
      spawner.exitCode(
        ChildProcess.make("git", ["-c", "user.email=e2e@localhost", "-c", "user.name=e2e", ...args], {
          cwd,
          extendEnv: true,
          stdout: "ignore",
          stderr: "ignore"
        })
      ),
      (code) => (code === 0 ? Effect.void : Effect.die(`git ${args.join(" ")} ended with ${code}`))
    )
  const settle = Effect.fnUntraced(function* (place: string) {
    const repo = join(place, "repo")
    for (const name of ["repo", "other"]) yield* fs.makeDirectory(join(place, name), { recursive: true })
    yield* git(repo, "init", "-q")
    yield* fs.writeFileString(join(repo, "README.md"), "a repository\n")
    yield* git(repo, "add", ".")
    yield* git(repo, "commit", "-qm", "first")
    yield* git(repo, "worktree", "add", "-q", join(place, "tree"))
    yield* git(repo, "worktree", "add", "-q", join(place, "tree2"))
  })
  yield* settle(root)
  const providers = yield* Effect.forEach(agents, (agent) => instanceOf(agent, root, model.origin))
  return { root, at, git, fs, model, providers, settle }
})
