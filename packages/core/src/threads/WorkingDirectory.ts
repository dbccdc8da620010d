import { CwdNotAllowed, CwdUnavailable } from "@rejoin/contracts/Errors"
import { Context, Effect, FileSystem, Layer } from "effect"
import { Settings } from "../Settings.ts"
import { isWithin } from "./Within.ts"

/**
 * Directories as they are, not as they are written: links, `..` and trailing slashes resolved, so that two paths are
 * one directory exactly when they are the same text (C15).
 */
export class WorkingDirectory extends Context.Service<
  WorkingDirectory,
  {
    /** The realpath of a directory that exists and in which threads may work. */
    readonly admit: (path: string) => Effect.Effect<string, CwdUnavailable | CwdNotAllowed>
    /**
     * Refuses a realpath that is gone, that a link now leads elsewhere, or in which threads may not work any more: asked
     * again before every turn, since an agent may silently make a missing directory anew (docs/providers/opencode.md),
     * and an operator may have narrowed the roots.
     */
    readonly unchanged: (real: string) => Effect.Effect<void, CwdUnavailable | CwdNotAllowed>
  }
>()("@rejoin/core/WorkingDirectory") {
  static readonly layer = Layer.effect(
    WorkingDirectory,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const settings = yield* Settings

      const resolve = Effect.fnUntraced(function* (path: string, hint: string) {
        const refuse = (why: string) =>
          new CwdUnavailable({ cwd: path, message: `The directory ${path} ${why}.`, hint })
        if (!path.startsWith("/")) return yield* refuse("is not an absolute path")
        const real = yield* fs.realPath(path).pipe(Effect.mapError(() => refuse("does not exist")))
        const { type } = yield* fs.stat(real).pipe(Effect.mapError(() => refuse("cannot be read")))
        return type === "Directory" ? real : yield* refuse("is not a directory")
      })

      const allow = Effect.fnUntraced(function* (real: string) {
        const allowed = settings.roots?.some((root) => isWithin(root, real)) ?? true
        if (allowed && !settings.forbidden.some((root) => isWithin(root, real))) return real
        return yield* new CwdNotAllowed({
          cwd: real,
          message: `Threads may not work in ${real}.`,
          hint: `REJOIN_ROOTS lists the directories under which they may, where the server is started. Now: ${(settings.roots ?? ["/"]).join(", ")}.`
        })
      })

      const admit = Effect.fn("WorkingDirectory.admit")(function* (path: string) {
        return yield* allow(yield* resolve(path, "Name one that exists, by its absolute path."))
      })

      const unchanged = Effect.fn("WorkingDirectory.unchanged")(function* (path: string) {
        const hint = "Restore it, or move the thread to another directory."
        const real = yield* resolve(path, hint)
        if (real !== path) {
          return yield* new CwdUnavailable({
            cwd: path,
            message: `The directory ${path} now leads to ${real}.`,
            hint
          })
        }
        yield* allow(real)
      })

      return WorkingDirectory.of({ admit, unchanged })
    })
  )

  /** Takes every path for what it says: for upstreams that have no disk. */
  static readonly layerAnything = Layer.succeed(WorkingDirectory, {
    admit: Effect.succeed,
    unchanged: () => Effect.void
  })
}
