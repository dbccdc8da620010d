import { defineConfig } from "vite"
import solid from "vite-plugin-solid"

// Where a server of ours runs, for `vite` itself while the page is worked on.
const server = process.env["REJOIN_URL"] ?? "http://127.0.0.1:4319"

export default defineConfig({
  plugins: [solid()],
  build: { target: "es2024", modulePreload: false },
  server: { proxy: { "/api": { target: server, changeOrigin: true } } }
})
