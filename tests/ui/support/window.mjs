// The desktop window under a display of its own, driven by WebKit's driver; everything ends by its process id.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as later } from "node:timers/promises";
import { Builder, Capabilities } from "selenium-webdriver";
import { BIN } from "./landfall.mjs";

const SIZE = "1280x900x24";
const START_MS = 15_000;

/** A virtual display. Xvfb picks a free number and tells it. */
export async function display() {
  const child = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", SIZE, "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const [number] = await once(child.stdio[3].setEncoding("utf8"), "data");
  return { name: `:${number.trim()}`, stop: () => end(child) };
}

/** Opens the window with its own Landfall folder. */
export async function window({ display, home, browser, theme }) {
  const [port, nativePort] = [await freePort(), await freePort()];
  // What a person saves lands among the downloads of a home that is the test's own.
  const downloads = join(home, "home/Downloads");
  mkdirSync(downloads, { recursive: true });
  const places = { HOME: join(home, "home"), LANDFALL_HOME: home };
  const environment = { ...process.env, ...places, DISPLAY: display, BROWSER: browser, GDK_BACKEND: "x11" };
  if (theme === "dark") environment.GTK_THEME = "Adwaita:dark";
  const words = ["--port", String(port), "--native-port", String(nativePort), "--native-driver", "/usr/bin/WebKitWebDriver"];
  const child = spawn("tauri-driver", words, { env: environment, stdio: "ignore" });
  const capabilities = new Capabilities({ browserName: "wry", "tauri:options": { application: join(BIN, "landfall-desktop") } });
  const driver = await session(`http://127.0.0.1:${port}/`, capabilities);
  await driver.manage().window().setRect({ width: 1040, height: 720 });
  const close = async () => {
    await driver.quit();
    await end(child);
  };
  return { driver, close };
}

/** The driver says nothing when it listens; it is asked until it answers. */
async function session(url, capabilities) {
  const deadline = Date.now() + START_MS;
  for (;;) {
    try {
      return await new Builder().usingServer(url).withCapabilities(capabilities).build();
    } catch (error) {
      if (Date.now() > deadline || !/ECONNREFUSED/.test(String(error))) throw error;
      await later(100);
    }
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function end(child) {
  if (child.exitCode !== null || !child.kill("SIGTERM")) return;
  await once(child, "exit");
}
