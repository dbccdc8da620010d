/**
 * Proof that a server is the one that wrote `server.json`, for somebody who will not tell the token to whoever listens:
 * the server was killed, and another program has its port by now. Bound to the port that was asked, so that it cannot be
 * passed on from another. By a key of that run, not by the token: one that a person chose could be guessed from proofs.
 */
export const proofOf = async (proofKey: string, challenge: string, port: number): Promise<string> => {
  const encoder = new TextEncoder()
  const algorithm = { name: "HMAC", hash: "SHA-256" }
  const key = await crypto.subtle.importKey("raw", encoder.encode(proofKey), algorithm, false, ["sign"])
  const signed = await crypto.subtle.sign("HMAC", key, encoder.encode(`rejoin:${port}:${challenge}`))
  return [...new Uint8Array(signed)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
}
