import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { wire } from "./vite.shared.ts";

/** The gallery: the screens over recorded view data. Not part of the app. */
export default defineConfig({
  base: "./",
  resolve: wire,
  publicDir: false,
  plugins: [react()],
  build: { outDir: "dist/gallery", emptyOutDir: true, target: "es2022", modulePreload: false, assetsInlineLimit: 0, rolldownOptions: { input: "gallery.html" } },
});
