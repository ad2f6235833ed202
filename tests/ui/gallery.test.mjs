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

const PAPER = ["Server=https://id.harbour.example#0K3M", "Your user name=bert", "One of the codes=7K2M-9QXA-4TZC"];
const BEGIN = ["My recovery sheet", ...PAPER, "Continue", "What shall this machine be called?=bert-desktop", "Which machine is lost?=bert-laptop"];
const VOUCH = [
  "The eight characters that they read out=4K7M-9QXA",
  "How do you know that it is them?=He knew his badge number",
  "Approve with my passkey",
];

/** A screen: a story, and what to press on the way. `=name` types into the first field, `Label=name` into that one. */
const SCREENS = {
  "get-back-in": ["get-back-in"],
  "enter-code": ["get-back-in", "A code"],
  "bad-code": ["bad-code", "A code", "=lf1.abc", "Continue"],
  confirm: ["get-back-in", "A code", "=lf1.abc", "Continue"],
  invitation: ["invitation", "A code", "=lf1.abc", "Continue"],
  entering: ["entering", "A code", "=lf1.abc", "Continue", "Yes, get me in"],
  "entering-long": ["entering-long", "A code", "=lf1.abc", "Continue", "Yes, get me in"],
  "entering-failed": ["entering-failed", "A code", "=lf1.abc", "Continue", "Yes, get me in"],
  "entering-offline": ["entering-offline", "A code", "=lf1.abc", "Continue", "Yes, get me in"],
  entered: ["get-back-in", "A code", "=lf1.abc", "Continue", "Yes, get me in"],
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
  "lost-passkey-key-pin": ["passkey-key-pin", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  "lost-passkey-key-touch": ["passkey-key-touch", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  "lost-passkey-typed": ["passkey-typed", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  "lost-passkey-mistyped": ["passkey-mistyped", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  "home-frozen": ["frozen-home"],
  "lost-done": ["enrolled", "Devices", "This one is lost", "Cut off bert-laptop now"],
  "lost-probation": ["probation", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  "lost-for-ever": ["enrolled", "Devices", "This one is lost", "Cut off bert-laptop now", "Cut it off for ever"],
  "agents-none": ["enrolled", "Agents"],
  "agents-ask": ["agents-ask", "Agents"],
  "agents-allowed": ["agents-ask", "Agents", "Allow with my passkey"],
  "agents-passkey": ["agents-passkey", "Agents", "Allow with my passkey"],
  secrets: ["enrolled", "Secrets", "Show", "Copy"],
  sheet: ["get-back-in", "My recovery sheet"],
  "sheet-mistyped": ["sheet-mistyped", "My recovery sheet", ...PAPER, "Continue"],
  help: ["get-back-in", "None of these"],
  "recover-confirm": ["get-back-in", "My recovery sheet", ...PAPER, "Continue"],
  "recover-confirm-lost": ["get-back-in", ...BEGIN],
  "recover-asking": ["recover-asking", ...BEGIN, "Yes, get me in"],
  "recover-waiting": ["recover-waiting"],
  "recover-no-code": ["recover-no-code", "I have a code"],
  "recover-offline": ["recover-offline", "Go another way"],
  "recover-held": ["recover-held"],
  "recover-other-code": ["recover-other-code"],
  "recover-other-device": ["recover-other-device"],
  "recover-other-lost": ["recover-other-lost"],
  "recover-paused": ["recover-paused"],
  "recover-over": ["recover-over"],
  "recovered-new-code": ["recovered"],
  recovered: ["recovered", "It is on paper"],
  "recovered-by-word": ["recovered-by-word"],
  "home-alarm": ["alarm"],
  "ready-alarm": ["alarm", "Look at it"],
  "ready-stopped": ["alarm", "Look at it", "That is not me: stop it"],
  ready: ["enrolled", "Being ready", "Show each"],
  unready: ["unready", "Being ready"],
  "ready-few": ["few-codes", "Being ready"],
  "ready-remove": ["few-codes", "Being ready", "Remove"],
  "make-codes": ["enrolled", "Being ready", "Make new ones"],
  "codes-made": ["enrolled", "Being ready", "Make new ones", "Make ten codes", "Save as PDF"],
  notices: ["enrolled", "What happened"],
  "notices-not-me": ["enrolled", "What happened", "That wasn’t me"],
  queue: ["admin", "Waiting for people"],
  "queue-empty": ["empty-queue", "Waiting for people"],
  review: ["admin", "Waiting for people", "Review"],
  "review-wrong": ["check-wrong", "Waiting for people", "Review", ...VOUCH],
  "approved-held": ["admin", "Waiting for people", "Review", ...VOUCH],
  "approved-now": ["approved-now", "Waiting for people", "Review", ...VOUCH],
  refused: ["admin", "Waiting for people", "Review", "Refuse bert"],
};
const NARROW = ["get-back-in", "home", "devices", "add-device-code", "lost", "secrets", "sheet", "recover-confirm-lost"];
NARROW.push("recover-waiting", "recovered-new-code", "ready", "codes-made", "notices", "queue", "review");

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
  for (const name of NARROW) {
    const [story, ...presses] = SCREENS[name];
    test(`${name}, narrow`, () => screen(`${name}-narrow`, story, presses, "light", 500));
  }

  test("codes are printed with what to do, and nothing else of the window", async () => {
    const { driver } = browser;
    const [story, ...presses] = SCREENS["codes-made"];
    await open(story, "dark", presses, 1040);
    await driver.sendDevToolsCommand("Emulation.setEmulatedMedia", { media: "print" });
    const seen = `return [...document.querySelectorAll("nav, header, button, h1, .sheet")]
      .filter((it) => it.checkVisibility()).map((it) => it.className);`;
    assert.deepEqual(await driver.executeScript(seen), ["sheet"]);
    await picture(driver, "gallery/codes-printed");
    await driver.sendDevToolsCommand("Emulation.setEmulatedMedia", { media: "" });
  });

  async function open(story, theme, presses, width) {
    const { driver } = browser;
    await driver.manage().window().setRect({ width, height: 863 });
    await driver.get(`${site.origin}/gallery.html?story=${story}&theme=${theme}`);
    for (const press of presses) await (press.includes("=") ? type(...press.split("=")) : click(press));
    await driver.wait(until.elementLocated(By.css("h1")), 3000);
  }

  async function screen(name, story, presses, theme, width) {
    const { driver } = browser;
    await open(story, theme, presses, width);
    await picture(driver, `gallery/${name}-${theme}`);
    await measure(driver);
    await fits(driver);
  }

  async function type(label, text) {
    const after = `//label[normalize-space(.)="${label}"]/following::*[self::input or self::textarea][1]`;
    const field = label === "" ? By.css("textarea, input") : By.xpath(after);
    await (await browser.driver.wait(until.elementLocated(field), 3000, `no field says ${label}`)).sendKeys(text);
  }

  async function click(label) {
    const quoted = label.includes("'") ? `"${label}"` : `'${label}'`;
    // A door says its name first and more about it behind; a place may have a count behind its name.
    const named = ["normalize-space(.)", "normalize-space(text()[1])", ".//strong"].map((what) => `${what}=${quoted}`);
    const button = By.xpath(`//button[${named.join(" or ")}]`);
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
