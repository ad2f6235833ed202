// What a person does in the desktop window: read, press, type. `driver` answers with the window that is open now.
import { By, Key, until } from "selenium-webdriver";

export function hands(driver, patience) {
  const find = (xpath) => driver().wait(until.elementLocated(By.xpath(xpath)), patience, `nothing is ${xpath}`);
  return {
    find,
    heading: (words) => find(`//h1[normalize-space(.)="${words}"]`),
    press: async (words) => (await find(`//button[normalize-space(.)="${words}"][not(@disabled)]`)).click(),
    /** One of the ways in: a button that says its name first and more about it behind. */
    door: async (words) => (await find(`//button[.//strong[normalize-space(.)="${words}"]]`)).click(),
    text: async (css) => (await driver().wait(until.elementLocated(By.css(css)), patience)).getText(),
    type: async (label, words) => {
      const field = await find(`//label[normalize-space(.)="${label}"]/following::*[self::input or self::textarea][1]`);
      await field.sendKeys(words);
    },
    /** Pastes, as people do with a code; typed key by key it would take the driver half a minute. */
    paste: async (words) => {
      const field = await find("//textarea");
      await field.sendKeys(Key.chord(Key.CONTROL, "a"));
      await driver().executeScript("document.execCommand('insertText', false, arguments[0])", words);
    },
  };
}
