import { makePostgresServer, type PostgresServer } from "./PostgresServer.ts"

let server: PostgresServer | undefined

/**
 * One PostgreSQL for all tests of a run, told to them by REJOIN_TEST_POSTGRES. Where that is set already, it is that one.
 */
export const setup = async (): Promise<void> => {
  if (process.env["REJOIN_TEST_POSTGRES"] !== undefined) return
  server = await makePostgresServer()
  if (server !== undefined) process.env["REJOIN_TEST_POSTGRES"] = server.url
  else
    console.warn(
      `NOT TESTED: PostgreSQL has no program for ${process.platform}-${process.arch}. REJOIN_TEST_POSTGRES names a server.`
    )
}

export const teardown = async (): Promise<void> => server?.remove()
