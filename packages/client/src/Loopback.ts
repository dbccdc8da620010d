/** What is spoken within the machine, in the words of NO_PROXY. */
const loopback = ["127.0.0.1", "localhost", "::1", "[::1]"]

/**
 * Keeps what is spoken on loopback off the proxy that the environment names (`NODE_USE_ENV_PROXY` makes Node's own fetch
 * use it): our token and the agents' passwords are for nobody outside. To be called before anything is asked.
 */
export const keepLoopbackDirect = (environment: Record<string, string | undefined>): void => {
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const listed = (environment[name] ?? "").split(/[\s,]+/).filter((entry) => entry !== "")
    if (listed.includes("*")) continue
    environment[name] = [...new Set([...listed, ...loopback])].join(",")
  }
}
