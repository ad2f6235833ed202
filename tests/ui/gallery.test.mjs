// Every screen over recorded view data, in both themes and two widths: measured by axe (contrast and
// sizes need a real browser), and kept as pictures to be looked at.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { By, until } from "selenium-webdriver";
import { chromium, picture, ROOT } from "./support/chromium.mjs";
import { serve } from "./support/static.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TARGET_MIN = 44;
// What the app's own window allows (desktop/tauri.conf.json), but for what its frames of tests need.
const CSP = JSON.parse(readFileSync(join(ROOT, "desktop/tauri.conf.json"), "utf8")).app.security.csp;

/** A screen: a story, and what to press on the way. `=name` types into the field. */
const SCREENS = {
  "get-back-in": ["get-back-in"],
  "bad-code": ["bad-code", "=lf1.abc", "Continue"],
  confirm: ["get-back-in", "=lf1.abc", "Continue"],
  invitation: ["invitation", "=lf1.abc", "Continue"],
  entering: ["entering", "=lf1.abc", "Continue", "Yes, get me in"],
  "entering-long": ["entering-long", "=lf1.abc", "Continue", "Yes, get me in"],
  "entering-failed": ["entering-failed", "=lf1.abc", "Continue", "Yes, get me in"],
  "entering-offline": ["entering-offline", "=lf1.abc", "Continue", "Yes, get me in"],
  entered: ["get-back-in", "=lf1.abc", "Continue", "Yes, get me in"],
  home: ["enrolled"],
  "home-no-passkey": ["no-passkey"],
  devices: ["enrolled", "Devices"],
  "devices-offline": ["offline", "Devices"],
  "add-device": ["enrolled", "Devices", "Add a device"],
  "add-device-code": ["enrolled", "Devices", "Add a device", "=bert-phone", "Make the code", "Copy"],
  "add-device-used": ["code-used", "Devices", "Add a device", "=bert-phone", "Make the code"],
  frozen: ["code-used", "Devices", "Add a device", "=bert-phone", "Make the code", "Not you? Freeze everything"],
  lost: ["enrolled", "Devices", "This one is lost"],
  "lost-passkey": ["passkey-asked", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  "lost-passkey-typed": ["passkey-typed", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  "lost-passkey-mistyped": ["passkey-mistyped", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  "home-frozen": ["frozen-home"],
  "lost-done": ["enrolled", "Devices", "This one is lost", "Cut off bert-laptop now"],
  "lost-probation": ["probation", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  "lost-for-ever": ["enrolled", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  secrets: ["enrolled", "Secrets", "Show", "Copy"],
};

describe("gallery", () => {
  let browser;
  let site;

  before(async () => {
    execFileSync("npm", ["run", "--silent", "build:gallery"], { cwd: join(ROOT, "ui"), stdio: "pipe" });
    site = await serve(join(ROOT, "ui/dist/gallery"), { "Content-Security-Policy": CSP });
    browser = await chromium({ args: ["--force-prefers-reduced-motion"] });
  });
  after(async () => {
    await browser?.close();
    site?.stop();
  });

  for (const theme of ["light", "dark"]) {
    for (const [name, [story, ...presses]] of Object.entries(SCREENS)) {
      test(`${name}, ${theme}`, () => screen(name, story, presses, theme, 1040));
    }
  }
  for (const name of ["get-back-in", "home", "devices", "add-device-code", "lost", "secrets"]) {
    const [story, ...presses] = SCREENS[name];
    test(`${name}, narrow`, () => screen(`${name}-narrow`, story, presses, "light", 500));
  }

  async function screen(name, story, presses, theme, width) {
    const { driver } = browser;
    await driver.manage().window().setRect({ width, height: 863 });
    await driver.get(`${site.origin}/gallery.html?story=${story}&theme=${theme}`);
    for (const press of presses) await (press.startsWith("=") ? type(press.slice(1)) : click(press));
    await driver.wait(until.elementLocated(By.css("h1")), 3000);
    await picture(driver, `gallery/${name}-${theme}`);
    await measure(driver);
    await fits(driver);
  }

  async function type(text) {
    const field = await browser.driver.wait(until.elementLocated(By.css("textarea, input")), 3000);
    await field.sendKeys(text);
  }

  async function click(label) {
    const quoted = label.includes("'") ? `"${label}"` : `'${label}'`;
    const button = By.xpath(`//button[normalize-space(.)=${quoted}]`);
    await (await browser.driver.wait(until.elementLocated(button), 3000, `no button says ${label}`)).click();
  }

  async function measure(driver) {
    await driver.executeScript(AXE);
    const found = await driver.executeAsyncScript(`
      const done = arguments[arguments.length - 1];
      axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] })
        .then((result) => done(result.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html + " " + n.failureSummary).join(" | "))));
    `);
    assert.deepEqual(found, []);
  }

  async function fits(driver) {
    const small = await driver.executeScript(`
      return [...document.querySelectorAll("button, input, textarea")]
        .filter((it) => it.offsetParent !== null && it.getBoundingClientRect().height < ${TARGET_MIN})
        .map((it) => it.outerHTML);
    `);
    assert.deepEqual(small, [], "targets are at least 44 px high");
    const wide = await driver.executeScript("return document.documentElement.scrollWidth - innerWidth");
    assert.ok(wide <= 0, `nothing runs out at the side, but by ${wide} px`);
  }
});
