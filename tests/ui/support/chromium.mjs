// A headless Chromium with a fresh profile, and the pictures that a suite leaves behind.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Builder } from "selenium-webdriver";
import chrome from "selenium-webdriver/chrome.js";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PICTURES = join(ROOT, ".ci/out/screenshots");

/** Starts Chromium; `close()` ends it and removes its profile. */
export async function chromium({ prefs = {}, args = [], home = undefined } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "landfall-chromium-"));
  const options = new chrome.Options();
  options.addArguments(
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-GB",
    "--window-size=1040,900",
    `--user-data-dir=${profile}`,
    ...args,
  );
  options.setUserPreferences(prefs);
  const service = new chrome.ServiceBuilder("/usr/bin/chromedriver");
  if (home !== undefined) service.setEnvironment({ ...process.env, HOME: home });
  const driver = await new Builder().forBrowser("chrome").setChromeOptions(options).setChromeService(service).build();
  const close = async () => {
    await driver.quit();
    rmSync(profile, { recursive: true, force: true });
  };
  return { driver, close };
}

/** Until what is in the document is on the screen, too: two frames, the first of which may have begun before. */
const PAINTED = "requestAnimationFrame(() => requestAnimationFrame(arguments[arguments.length - 1]))";

/** Keeps what the window shows now under `.ci/out/screenshots/<name>.png`. */
export async function picture(driver, name) {
  await driver.executeAsyncScript(PAINTED);
  const file = join(PICTURES, `${name}.png`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, await driver.takeScreenshot(), "base64");
}
