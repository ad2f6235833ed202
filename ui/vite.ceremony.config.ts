import { renameSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vite";
import { wire } from "./vite.shared.ts";

const out = process.env["CEREMONY_OUT"] ?? "../core/server/assets/ceremony";

/**
 * The ceremony page, with plain names and no inline script or style, into the server's sources: the
 * server builds without Node. `npm run drift` compares what is committed with a fresh build.
 */
export default defineConfig({
  base: "/ceremony/",
  resolve: wire,
  publicDir: "public-ceremony",
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: "ceremony.html",
      output: { entryFileNames: "ceremony.js", assetFileNames: (asset) => plainName(asset.names[0] ?? "asset") },
    },
  },
  plugins: [
    {
      name: "landfall-index",
      closeBundle() {
        renameSync(resolve(out, "ceremony.html"), resolve(out, "index.html"));
      },
    },
  ],
});

/** One style for both pages, and fonts by what they are. */
export function plainName(name: string): string {
  if (name.endsWith(".css")) return "ceremony.css";
  if (!name.endsWith(".woff2")) return "[name][extname]";
  return name.includes("mono") ? "mono.woff2" : "next.woff2";
}
