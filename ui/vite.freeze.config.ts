import { resolve } from "node:path";
import { defineConfig } from "vite";
import { plainName } from "./vite.ceremony.config.ts";
import { wire } from "./vite.shared.ts";

const out = process.env["CEREMONY_OUT"] ?? "../core/server/assets/ceremony";

/** The page that stops an account, beside the ceremony page, whose style and fonts it shares. */
export default defineConfig({
  base: "/ceremony/",
  resolve: wire,
  publicDir: false,
  build: {
    outDir: resolve(out),
    emptyOutDir: false,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: "freeze.html",
      output: { entryFileNames: "freeze.js", assetFileNames: (asset) => plainName(asset.names[0] ?? "asset") },
    },
  },
});
