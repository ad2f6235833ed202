// The real server and the real command line, each in a home of its own, stopped by their process ids.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ROOT } from "./chromium.mjs";

export const BIN = process.env.BIN_DIR ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug");
/** No command of a test takes longer; one that hangs is stopped, and fails its test. */
const COMMAND_MS = 60_000;
const HAND_OVER = fileURLToPath(new URL("hand-over.mjs", import.meta.url));

/** A folder that is gone after `remove()`. */
export function folder(name) {
  const path = mkdtempSync(join(tmpdir(), `landfall-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts a server on a fresh database, which lies at `database`; `ready` is the line that it prints, `config` what it is told beyond that. */
export async function server(config = "") {
  const data = folder("server");
  const file = join(data.path, "landfall.toml");
  writeFileSync(file, config);
  const words = ["serve", "--data-dir", join(data.path, "data"), "--listen", "127.0.0.1:0"];
  words.push("--localhost-listen", "127.0.0.1:0", "--json", "--show-claim-token", "--config", file);
  const child = spawn(join(BIN, "landfall-server"), words, { stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(child, "exit").then(([code]) => Promise.reject(new Error(`the server ended with ${code}`)));
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), gone]);
  gone.catch(() => {});
  const stop = async () => {
    const ended = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGTERM")) await ended;
    data.remove();
  };
  return { ready: JSON.parse(line), database: join(data.path, "data", "landfall.db"), stop };
}

/** Where the pages that apps want to open arrive, instead of in somebody's browser. */
export async function pages() {
  const at = folder("pages");
  const socket = join(at.path, "socket");
  const waiting = [];
  const arrived = [];
  const listener = createServer((connection) => {
    let url = "";
    connection.setEncoding("utf8").on("data", (text) => (url += text));
    connection.on("end", () => (waiting.shift() ?? ((it) => arrived.push(it)))(url));
  });
  listener.listen(socket);
  await once(listener, "listening");
  const next = () => (arrived.length > 0 ? Promise.resolve(arrived.shift()) : new Promise((take) => waiting.push(take)));
  const stop = () => {
    listener.close();
    at.remove();
  };
  return { command: `${process.execPath} ${HAND_OVER} ${socket}`, next, stop };
}

/**
 * One run of `landfall --json`. Answers with its JSON, or throws what it said. `typed` is told the page's address
 * and answers with the code that the page shows, where no browser is opened.
 */
export function landfall(home, words, { browser, input, typed } = {}) {
  const by = typed === undefined ? (browser === undefined ? [] : ["--browser", browser]) : ["--code", "-"];
  const all = ["--json", "--yes", ...by, ...words];
  const child = spawn(join(BIN, "landfall"), all, { env: { ...process.env, LANDFALL_HOME: home }, timeout: COMMAND_MS });
  let typing;
  if (typed === undefined) child.stdin.end(input ?? "");
  else createInterface(child.stderr).on("line", (line) => line.startsWith("http") && (typing = type(child, typed(line))));
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => (said.out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (said.err += text));
  return once(child, "close").then(async ([code]) => {
    await typing;
    if (code === 0) return JSON.parse(said.out);
    throw Object.assign(new Error(`landfall ${words.join(" ")} ended with ${code}: ${said.err}`), { code, said });
  });
}

async function type(child, code) {
  try {
    child.stdin.end(`${await code}\n`);
  } catch (error) {
    child.kill();
    return Promise.reject(error);
  }
}
