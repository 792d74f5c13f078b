import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Writes a gzip twin beside each text file over 1 kB, which the Go handler serves to clients that take it. */
function gzipTwins(): Plugin {
  return {
    name: "gzip-twins",
    apply: "build",
    writeBundle(options) {
      const folder = options.dir ?? "dist";
      for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        const file = join(folder, entry);
        if (!/\.(js|css|svg|html|json)$/.test(file) || statSync(file).size < 1024) continue;
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

const backend = process.env.FAIRLEAD_URL ?? "http://127.0.0.1:8600";

export default defineConfig({
  plugins: [react(), gzipTwins()],
  server: { port: 8601, host: "127.0.0.1", proxy: { "/api": { target: backend, changeOrigin: true } } },
  build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 1200, reportCompressedSize: false },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/testing/setup.ts"] },
});
