// Are the committed pages of the browser the ones that these sources build?
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Words and code of the app must not slip in.
const SIZE_MAX = 28 * 1024;
const ui = fileURLToPath(new URL("..", import.meta.url));
const committed = join(ui, "../core/server/assets/ceremony");
const fresh = mkdtempSync(join(tmpdir(), "landfall-ceremony-"));

try {
  const vite = join(ui, "node_modules/vite/bin/vite.js");
  for (const config of ["vite.ceremony.config.ts", "vite.freeze.config.ts"]) {
    const arguments_ = [vite, "build", "--config", config, "--logLevel", "error"];
    execFileSync(process.execPath, arguments_, { cwd: ui, env: { ...process.env, CEREMONY_OUT: fresh }, stdio: "inherit" });
  }
  const names = new Set([...readdirSync(fresh), ...readdirSync(committed)]);
  const differing = [...names].filter((name) => !same(join(fresh, name), join(committed, name)));
  if (differing.length > 0) fail(`drift: ${differing.join(", ")}: run \`npm run build:ceremony\` in ui/ and commit core/server/assets/ceremony`);
  const size = readdirSync(committed)
    .filter((name) => !name.endsWith(".woff2"))
    .reduce((sum, name) => sum + readFileSync(join(committed, name)).length, 0);
  if (size > SIZE_MAX) fail(`the pages weigh ${size} bytes without its fonts; ${SIZE_MAX} are allowed`);
  console.log(`pages: ${names.size} files as committed, ${size} bytes without fonts`);
} finally {
  rmSync(fresh, { recursive: true });
}

function same(one, other) {
  try {
    return readFileSync(one).equals(readFileSync(other));
  } catch {
    return false;
  }
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
