import { defineConfig } from "vitest/config";
import { wire } from "./vite.shared.ts";

export default defineConfig({
  resolve: wire,
  test: { environment: "jsdom", include: ["test/**/*.test.{ts,tsx}"], setupFiles: ["test/setup.ts"], restoreMocks: true, testTimeout: 30_000 },
});
