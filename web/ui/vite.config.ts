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

interface Graph { getModuleInfo: (id: string) => { importedIds: readonly string[] } | null }

/** Puts what the first page needs into one file: a browser asks for few files sooner than for many small ones. */
function firstPage(): (id: string, graph: Graph) => string | undefined {
  const first = new Set<string>();
  const add = (id: string, graph: Graph): void => {
    if (first.has(id)) return;
    first.add(id);
    for (const next of graph.getModuleInfo(id)?.importedIds ?? []) add(next, graph);
  };
  return (id, graph) => {
    if (first.size === 0) add(join(import.meta.dirname, "src/main.tsx"), graph);
    return first.has(id) ? "page" : undefined;
  };
}

const backend = process.env.FAIRLEAD_URL ?? "http://127.0.0.1:8600";

export default defineConfig({
  plugins: [react(), gzipTwins()],
  server: { port: 8601, host: "127.0.0.1", proxy: { "/api": { target: backend, changeOrigin: true } } },
  build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 1200, reportCompressedSize: false, rollupOptions: { output: { manualChunks: firstPage() } } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/testing/setup.ts"] },
});
