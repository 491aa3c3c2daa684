import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

// The Go binary sends what is compressed here; it compresses nothing itself.
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    async writeBundle({ dir }) {
      const files = await readdir(dir!, { recursive: true })
      await Promise.all(
        files
          .filter((name) => /\.(js|css|svg)$/.test(name))
          .map(async (name) => {
            const content = await readFile(join(dir!, name))
            if (content.length < 1024) return
            await writeFile(join(dir!, `${name}.gz`), await promisify(gzip)(content, { level: 9 }))
            await writeFile(join(dir!, `${name}.br`), await promisify(brotliCompress)(content))
          }),
      )
    },
  }
}

export default defineConfig({
  plugins: [react(), precompress()],
  // Replaced by the Go function with a fresh value for every page sent.
  html: { cspNonce: '__CSP_NONCE__' },
  build: { outDir: '../dist', emptyOutDir: true, assetsInlineLimit: 0, chunkSizeWarningLimit: 600 },
  server: { proxy: { '/api': { target: process.env.GATEWAY_URL ?? 'http://127.0.0.1:3000', rewrite: (path) => path.replace(/^\/api/, '') } } },
})
