import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { wire } from "./vite.shared.ts";

/** The desktop app's screens, for the window to read from inside the binary. */
export default defineConfig({
  base: "./",
  resolve: wire,
  publicDir: false,
  plugins: [react()],
  build: { outDir: "dist/app", emptyOutDir: true, target: "es2022", modulePreload: false, assetsInlineLimit: 0 },
});
