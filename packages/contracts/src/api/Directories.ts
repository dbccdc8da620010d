import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Directory, Worktree } from "../Directory.ts"
import * as E from "../Errors.ts"
import { DirectoryBrings, TrustedDirectory } from "../Trust.ts"
import { WorkingTree } from "../WorkingTree.ts"

export class DirectoriesGroup extends HttpApiGroup.make("directories")
  .add(
    HttpApiEndpoint.get("look", "/directories", {
      query: { path: Schema.optionalKey(Schema.NonEmptyString) },
      success: Directory,
      error: [E.CwdNotAllowed, E.CwdUnavailable]
    }).annotate(OpenApi.Summary, "A directory in which threads may work; without a path, the server's own"),
    HttpApiEndpoint.post("addWorktree", "/directories/worktrees", {
      payload: Schema.Struct({
        /** Within the repository. */
        repository: Schema.NonEmptyString,
        /** Where it is to be; nothing may be there. */
        path: Schema.NonEmptyString,
        /** A new one, from what is checked out in the repository. */
        branch: Schema.NonEmptyString.check(
          Schema.isPattern(/^[\w.][\w./-]*$/, {
            message: "A branch's name has letters, digits and . _ / - only, and begins with neither / nor -."
          }),
          Schema.isMaxLength(200)
        )
      }),
      success: Worktree.pipe(HttpApiSchema.status(201)),
      error: [E.CwdNotAllowed, E.CwdUnavailable, E.InvalidInput]
    }).annotate(
      OpenApi.Summary,
      "A new worktree on a new branch; no hook, filter or monitor of the repository is run"
    )
  )
  .add(
    HttpApiEndpoint.get("changes", "/directories/changes", {
      query: { path: Schema.NonEmptyString },
      success: WorkingTree,
      error: [E.CwdNotAllowed, E.CwdUnavailable]
    }).annotate(OpenApi.Summary, "What the checkout of a directory has beside its last commit, line by line"),
    HttpApiEndpoint.get("files", "/directories/files", {
      query: {
        path: Schema.NonEmptyString,
        /** Characters that the path has, in this order. */
        q: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500)))
      },
      success: Schema.Struct({ items: Schema.Array(Schema.String) }),
      error: [E.CwdNotAllowed, E.CwdUnavailable]
    }).annotate(
      OpenApi.Summary,
      "Up to 50 files in a directory, relative to it, the best fit first; ignored ones are left out"
    )
  )
  .add(
    HttpApiEndpoint.get("brings", "/directories/brings", {
      query: { path: Schema.NonEmptyString },
      success: DirectoryBrings,
      error: [E.CwdNotAllowed, E.CwdUnavailable, E.StoreFailed]
    }).annotate(OpenApi.Summary, "What a directory brings for the agents, and whether that is trusted"),
    HttpApiEndpoint.get("trusted", "/directories/trust", {
      success: Schema.Struct({ items: Schema.Array(TrustedDirectory) }),
      error: E.StoreFailed
    }).annotate(OpenApi.Summary, "The directories that are trusted, and what they brought"),
    HttpApiEndpoint.post("trust", "/directories/trust", {
      payload: Schema.Struct({
        path: Schema.NonEmptyString,
        /** What was shown: where it is something else by now, nothing is trusted. */
        hashes: Schema.optionalKey(Schema.Array(Schema.String))
      }),
      success: TrustedDirectory,
      error: [E.CwdNotAllowed, E.CwdUnavailable, E.DirectoryNotTrusted, E.StoreFailed]
    }).annotate(OpenApi.Summary, "Trust what a directory brings, as it is now"),
    HttpApiEndpoint.delete("distrust", "/directories/trust", {
      query: { path: Schema.NonEmptyString },
      success: HttpApiSchema.NoContent,
      error: E.StoreFailed
    }).annotate(OpenApi.Summary, "Trust a directory no longer; one that was never trusted is no error")
  )
  .annotateMerge(OpenApi.annotations({ title: "Directories", description: "For choosing one." })) {}
