// What a person does in the browser that an app or a command has opened.
import assert from "node:assert/strict";
import { By, until } from "selenium-webdriver";
import { landfall } from "./landfall.mjs";

/** `browser` answers with the browser, `opened` with the pages that arrive in it. */
export function fingers(browser, opened, patience) {
  /** Touches the key for the next page; `number`, where the app shows one, must be the page's. `failed` ends the wait. */
  async function touch({ number, failed = new Promise(() => {}) } = {}) {
    const { driver } = browser();
    await driver.get(await Promise.race([opened().next(), failed]));
    await driver.wait(until.elementLocated(By.id("use")), patience);
    if (number !== undefined) assert.match(await driver.findElement(By.id("number")).getText(), new RegExp(`^${number}`));
    await driver.findElement(By.id("use")).click();
    await driver.wait(until.urlMatches(/^http:\/\/127\.0\.0\.1:/), patience);
  }

  /** One command, and the touch that it asks for. */
  async function withTouch(home, words) {
    const done = landfall(home.path, words, { browser: opened().command });
    const failed = done.then(() => Promise.reject(new Error("it ended before it opened a page")));
    await touch({ failed });
    failed.catch(() => {});
    return done;
  }

  return { touch, withTouch };
}
