// Back in on a bare machine with a passkey: a real browser, the server's real page, the real command line.
import assert from "node:assert/strict";
import { after, before, describe, test as untimed } from "node:test";
import { By, until } from "selenium-webdriver";
import { plugIn } from "./support/authenticators.mjs";
import { chromium, picture } from "./support/chromium.mjs";
import { folder, landfall, pages, server } from "./support/landfall.mjs";

const PATIENCE_MS = 10_000;
const TEST_MS = 120_000;
const test = (name, run) => untimed(name, { timeout: TEST_MS }, run);

describe("a passkey on a bare machine", () => {
  let host;
  let browser;
  let opened;
  let laptop;
  let driver;
  let key;
  let inside;
  let line;
  const homes = [];

  before(async () => {
    host = await server();
    browser = await chromium();
    driver = browser.driver;
    opened = await pages();
    laptop = home("laptop");
  });
  after(async () => {
    await browser?.close();
    opened?.stop();
    for (const it of homes) it.remove();
    await host?.stop();
  });

  function home(name) {
    const it = folder(name);
    homes.push(it);
    return it;
  }

  /** Runs a command of a machine that opens pages; `touch` is called for each page that it opens. */
  async function withPages(machine, words, ...touches) {
    const done = landfall(machine.path, words, { browser: opened.command });
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
  const recover = (device, ...more) => ["recover", "--server", line, "--user", "bert", "--device", device, "--with-passkey", ...more];

  test("a server is claimed with the key on the ring, which is asked to be found by itself", async () => {
    key = await plugIn(driver, "usb");
    const words = ["claim", host.ready.claim_token, "--user", "bert", "--device", "bert-laptop", "--roaming-authenticator"];
    const claimed = await withPages(laptop, words, confirm);
    assert.equal(claimed.passkey.attachment, "roaming");
    assert.equal(claimed.passkey.resident, true);
    assert.deepEqual(claimed.passkey.transports, ["usb"]);
    assert.match(claimed.passkey.aaguid, /^[0-9a-f-]{36}$/);
    const [held] = await key.credentials();
    assert.equal(held.isResidentCredential, true);
    const made = await withPages(laptop, ["recovery", "codes", "make"], confirm);
    line = made.server;
  });

  test("a passkey of the machine itself gets the same machine back in", async () => {
    inside = await plugIn(driver, "internal");
    await withPages(laptop, ["webauthn", "register", "--type", "platform", "--label", "This laptop"], confirm, confirm);
    await key.touched(false);
    const done = await withPages(home("again"), recover("bert-again"), async () => {
      assert.equal(await text("h1"), "Let a new machine into the account of bert?");
      assert.match(await text("#device"), /^bert-again/);
      assert.match(await text("#elsewhere"), /Close this page/);
      await picture(driver, "ceremony/recover-light");
      await confirm();
    });
    assert.equal(done.state, "done");
    assert.equal(done.device, "bert-again");
    await driver.wait(until.urlMatches(/^http:\/\/127\.0\.0\.1:\d+\//), PATIENCE_MS);
  });

  test("the key on the ring gets a bare machine in, and cuts the lost one off in the same act", async () => {
    await inside.touched(false);
    await key.touched(true);
    const bare = home("new");
    const done = await withPages(bare, recover("bert-new", "--lost", "bert-laptop"), confirm);
    assert.equal(done.state, "done");
    const { items } = await landfall(bare.path, ["device", "list"]);
    assert.equal(items.find((it) => it.name === "bert-laptop").state, "suspended");
    const passkeys = (await landfall(bare.path, ["webauthn", "list"])).items;
    assert.equal(passkeys.find((it) => it.attachment === "roaming").registered_on, "bert-new", "it belongs here now");
  });

  test("the passkey that lives in the lost machine opens nothing any more", async () => {
    await key.touched(false);
    await inside.touched(true);
    const typed = async (address) => {
      await driver.get(address);
      await driver.wait(until.elementLocated(By.id("use")), PATIENCE_MS);
      await confirm();
      await driver.wait(until.elementLocated(By.id("wrong-code")), PATIENCE_MS);
      assert.match(await text("#wrong-code"), /^passkey-refused/);
      return "0000-0000";
    };
    await assert.rejects(landfall(home("thief").path, recover("thief"), { typed }), ({ said }) => {
      assert.match(said.err, /ceremony-over/);
      return true;
    });
  });
});
