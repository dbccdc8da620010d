import { Effect } from "effect"
import { createRequire } from "node:module"
import { createHash, X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { request } from "node:http"
import { createServer } from "node:https"

// Its types know it as a default that it is not.
const jsQR = createRequire(import.meta.url)("jsqr") as (
  pixels: Uint8ClampedArray,
  width: number,
  height: number
) => { readonly data: string } | null

const fixture = (name: string) =>
  new URL(`../../packages/testkit/src/tls/${name}.pem`, import.meta.url).pathname

/** An operator's certificate, for `rejoin.test`. */
export const certificate = { cert: fixture("cert"), key: fixture("key") }

/** What makes a browser believe that certificate, and find its name on this machine. */
export const browserArgs = Effect.sync(() => {
  const { publicKey } = new X509Certificate(readFileSync(certificate.cert))
  const spki = publicKey.export({ type: "spki", format: "der" })
  return [
    "--host-resolver-rules=MAP rejoin.test 127.0.0.1",
    `--ignore-certificate-errors-spki-list=${createHash("sha256").update(spki).digest("base64")}`
  ]
})

/** As a phone has it. */
export const phone = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2
}

/** What stands before a server of an operator's: ends TLS, and passes all on as it came, its Host too. */
export const makeProxy = Effect.fnUntraced(function* (target: () => string) {
  const server = createServer(
    { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) },
    (incoming, outgoing) => {
      const { headers, method, url } = incoming
      const passed = request(`${target()}${url}`, { method, headers, setHost: false }, (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers)
        response.pipe(outgoing)
      })
      passed.on("error", () => outgoing.destroy())
      outgoing.on("close", () => passed.destroy())
      incoming.pipe(passed)
    }
  )
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  const address = server.address()
  return `https://rejoin.test:${typeof address === "object" ? address?.port : ""}`
})

/** What a camera reads of a code in a terminal, whose every sign is two squares, one above the other. */
export const scanned = (printed: string): string | undefined => {
  const rows = printed.split("\n").filter((line) => /^[█▀▄ ]{20,}$/.test(line))
  const squares = rows.flatMap((row) => [
    [...row].map((sign) => sign === "█" || sign === "▀"),
    [...row].map((sign) => sign === "█" || sign === "▄")
  ])
  const [scale, width, height] = [4, squares[0]?.length ?? 0, squares.length]
  const pixels = new Uint8ClampedArray(width * height * scale * scale * 4).fill(255)
  for (let y = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      // A terminal is light on dark: its full blocks are the light squares.
      const light = squares[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true
      pixels.fill(light ? 255 : 0, (y * width * scale + x) * 4, (y * width * scale + x) * 4 + 3)
    }
  }
  return jsQR(pixels, width * scale, height * scale)?.data
}
