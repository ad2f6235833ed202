// Passkey ceremonies in a real browser, through the server's real page, begun by the real command line.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:https";
import { after, before, describe, test as untimed } from "node:test";
import { By, until } from "selenium-webdriver";
import { plugIn } from "./support/authenticators.mjs";
import { chromium, picture } from "./support/chromium.mjs";
import { foreignCertificate } from "./support/foreign-certificate.mjs";
import { folder, landfall, pages, server } from "./support/landfall.mjs";
import { serve } from "./support/static.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE_MS = 10_000;
/** One that hangs fails by itself, and the rest still run. */
const test = (name, run) => untimed(name, { timeout: 9 * PATIENCE_MS }, run);

describe("passkeys in chromium", () => {
  let host;
  let browser;
  let opened;
  let laptop;
  let driver;
  let key;
  let blue;

  before(async () => {
    host = await server();
    browser = await chromium();
    driver = browser.driver;
    opened = await pages();
    laptop = folder("laptop");
    await landfall(laptop.path, ["claim", host.ready.claim_token, "--user", "bert", "--device", "bert-laptop"]);
  });
  after(async () => {
    await browser?.close();
    opened?.stop();
    laptop?.remove();
    await host?.stop();
  });

  /** Runs a command that opens pages; `touch` is called for each page that it opens. */
  async function withPages(words, ...touches) {
    const done = landfall(laptop.path, words, { browser: opened.command });
    const failed = done.then(() => Promise.reject(new Error("it ended before it opened a page")));
    for (const touch of touches) {
      await driver.get(await Promise.race([opened.next(), failed]));
      await driver.wait(until.elementLocated(By.css("#use, #wrong-code")), PATIENCE_MS);
      await touch();
    }
    failed.catch(() => {});
    return done;
  }

  const text = (css) => driver.findElement(By.css(css)).getText();
  const confirm = () => driver.findElement(By.id("use")).click();
  const heading = (words) => driver.wait(until.elementLocated(By.xpath(`//h1[contains(., "${words}")]`)), PATIENCE_MS);

  test("a first passkey is registered in the machine, under the right that the claim gave", async () => {
    const inside = await plugIn(driver, "internal");
    const passkey = await withPages(["webauthn", "register", "--type", "platform", "--label", "This laptop"], async () => {
      assert.equal(await text("h1"), "Make a passkey for bert");
      assert.match(await text("#device"), /^bert-laptop/);
      assert.match(await text("#number"), /^\d\d\b/);
      assert.match(await text("#elsewhere"), /Close this page/);
      await picture(driver, "ceremony/register-light");
      await confirm();
    });
    assert.equal(passkey.attachment, "platform");
    assert.equal(passkey.label, "This laptop");
    const [held] = await inside.credentials();
    assert.equal(held.rpId, "localhost");
    assert.equal(held.isResidentCredential, true, "it can be found without a user name");
  });

  test("stepping up with it opens a session of a present person", async () => {
    await withPages(["login", "--step-up"], async () => {
      assert.equal(await text("h1"), "Is this you, bert?");
      await confirm();
    });
    const me = await landfall(laptop.path, ["whoami"]);
    assert.equal(me.passkeys, 1);
  });

  test("the browser is sent back to the app, and the app goes on", async () => {
    await withPages(["login", "--step-up"], confirm);
    await driver.wait(until.urlMatches(/^http:\/\/127\.0\.0\.1:\d+\//), PATIENCE_MS);
  });

  test("a second passkey, on a key that is carried, is confirmed with the first in its exact words", async () => {
    key = await plugIn(driver, "usb");
    blue = await withPages(
      ["webauthn", "register", "--type", "roaming", "--label", "Blue key"],
      async () => {
        assert.equal(await text("h1"), "Confirm this, bert?");
        assert.equal(await text("#act"), "Add the passkey “Blue key” for bert, kept on a security key.");
        await picture(driver, "ceremony/act-light");
        await confirm();
      },
      confirm,
    );
    assert.equal(blue.attachment, "roaming");
    assert.equal((await key.credentials()).length, 1, "the key was used, not the machine");
  });

  test("a passkey is removed under the name that its owner knows it by", async () => {
    await key.unplug();
    await withPages(["webauthn", "remove", blue.id], async () => {
      assert.equal(await text("#act"), `Remove the passkey “Blue key” of bert (${blue.id}). It can never be used here again.`);
      await confirm();
    });
    assert.equal((await landfall(laptop.path, ["whoami"])).passkeys, 1);
  });

  test("a code for another device is confirmed by its name", async () => {
    const minted = await withPages(["device", "add", "bert-phone"], async () => {
      assert.equal(
        await text("#act"),
        "Let the new device bert-phone sign in as bert. The code for it works once, for 10 minutes.",
      );
      await confirm();
    });
    assert.match(minted.code, /^lf1\./);
  });

  test("the secret is gone from the address bar, and a reload confirms nothing", async () => {
    const words = ["login", "--step-up"];
    await withPages(words, async () => {
      const page = `${host.ready.localhost}/ceremony`;
      assert.equal(await driver.getCurrentUrl(), page);
      await confirm();
    });
    await driver.get(`${host.ready.localhost}/ceremony`);
    await heading("Nothing to confirm here");
    assert.equal(await text("#wrong-code"), "no-fragment");
  });

  test("without a touch nothing happens, and the page says what to do", async () => {
    await withPages(["login", "--step-up"], async () => {
      await driver.executeScript(`navigator.credentials.get = () => Promise.reject(new DOMException("x", "NotAllowedError"))`);
      await confirm();
      await heading("The passkey was not used");
      await picture(driver, "ceremony/not-used-light");
      await driver.executeScript("delete navigator.credentials.get");
      await driver.findElement(By.id("again")).click();
      await driver.wait(until.elementLocated(By.id("use")), PATIENCE_MS);
      await confirm();
    });
  });

  test("without a browser here, the page shows a code, and only the app that began can use it", async () => {
    const typed = async (address) => {
      await driver.get(address);
      await driver.wait(until.elementLocated(By.id("use")), PATIENCE_MS);
      await confirm();
      await heading("Type this into the app in front of you");
      await picture(driver, "ceremony/code-light");
      return text("#code");
    };
    const stepUp = await landfall(laptop.path, ["login", "--step-up"], { typed });
    assert.equal(stepUp.auth_strength, "cert+human");
    const wrong = landfall(laptop.path, ["login", "--step-up"], { typed: async (at) => (await typed(at), "0000-0000") });
    await assert.rejects(wrong, ({ code, said }) => {
      assert.equal(code, 4, "a person has not confirmed it");
      assert.match(said.err, /completion-wrong/);
      assert.match(said.err, /Nothing was changed; begin again\./);
      return true;
    });
  });

  test("another origin can neither read nor use a ceremony", async () => {
    const elsewhere = await serve(new URL("support", import.meta.url).pathname, { "Content-Type": "text/html" });
    await withPages(["login", "--step-up"], async () => {
      const mine = await driver.getWindowHandle();
      await driver.switchTo().newWindow("tab");
      await driver.get(`${elsewhere.origin}/static.mjs`);
      const answers = await driver.executeAsyncScript(
        `const [origin, done] = arguments;
         const body = JSON.stringify({ ceremony_id: "0".repeat(26), secret: "x".repeat(43) });
         const url = origin + "/auth/webauthn/step-up/options";
         const json = { "Content-Type": "application/json" };
         Promise.all([
           fetch(url, { method: "POST", headers: json, body }).then((r) => r.status, (e) => e.name),
           fetch(url, { method: "POST", mode: "no-cors", body }).then((r) => r.type, (e) => e.name),
         ]).then(done);`,
        host.ready.localhost,
      );
      assert.equal(answers[0], "TypeError", "no answer can be read");
      assert.ok(["opaque", "TypeError"].includes(answers[1]), answers[1]);
      await driver.close();
      await driver.switchTo().window(mine);
      await confirm();
    });
    elsewhere.stop();
    for (const headers of [{ Origin: "http://evil.example" }, { Origin: elsewhere.origin }, { "Sec-Fetch-Site": "cross-site" }]) {
      const response = await fetch(`${host.ready.localhost}/auth/webauthn/step-up/options`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify({ ceremony_id: "0".repeat(26), secret: "x".repeat(43) }),
      });
      assert.equal((await response.json()).code, "origin-refused", JSON.stringify(headers));
    }
  });

  test("the page's own policy holds: nothing inline, nothing from elsewhere, no frame", async () => {
    const response = await fetch(`${host.ready.localhost}/ceremony`);
    const policy = response.headers.get("content-security-policy");
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) assert.ok(policy.includes(part), part);
    assert.ok(!policy.includes("unsafe"), policy);
    assert.equal(response.headers.get("referrer-policy"), "no-referrer");
  });

  for (const scheme of ["light", "dark"]) {
    test(`the page can be read by everybody, ${scheme}`, async () => {
      await driver.sendDevToolsCommand("Emulation.setEmulatedMedia", {
        features: [{ name: "prefers-color-scheme", value: scheme }],
      });
      await withPages(["device", "add", `bert-${scheme}`], async () => {
        await picture(driver, `ceremony/confirm-${scheme}`);
        assert.equal(await driver.executeScript("return document.activeElement.tagName"), "H1", "the reader begins at the heading");
        await driver.executeScript(AXE);
        const found = await driver.executeAsyncScript(`
          const done = arguments[arguments.length - 1];
          axe.run(document).then((result) => done(result.violations.map((v) => v.id + " " + v.nodes.map((n) => n.html))));`);
        assert.deepEqual(found, []);
        await confirm();
      });
    });
  }
});

test("whoever holds a certificate of somebody else is not asked for it", async () => {
  const foreign = foreignCertificate();
  const host = await server();
  const other = createServer({ key: foreign.key, cert: foreign.certificate, requestCert: true, ca: [foreign.authority] });
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  const browser = await chromium({ args: ["--ignore-certificate-errors"], home: foreign.home });
  try {
    await browser.driver.manage().setTimeouts({ pageLoad: 3 * PATIENCE_MS });
    await browser.driver.get(new URL("/.well-known/landfall", host.ready.https).href);
    assert.match(await browser.driver.findElement(By.css("body")).getText(), /api_min/, "our server names only its own authorities");
    await browser.driver.manage().setTimeouts({ pageLoad: 4000 });
    const prompted = browser.driver.get(`https://127.0.0.1:${other.address().port}/`);
    await assert.rejects(prompted, /timeout|Timed out/, "a server that names the other authority makes Chromium ask");
  } finally {
    await browser.close();
    other.closeAllConnections();
    other.close();
    await host.stop();
    foreign.remove();
  }
});
