// The lost laptop in two windows: the old machine's in light, the new one's in dark. The passkey is
// used in Chromium, which stands where the person's own browser would.
import assert from "node:assert/strict";
import { after, before, describe, test as untimed } from "node:test";
import { plugIn } from "./support/authenticators.mjs";
import { chromium, picture } from "./support/chromium.mjs";
import { hands } from "./support/hands.mjs";
import { folder, landfall, pages, server } from "./support/landfall.mjs";
import { fingers } from "./support/touch.mjs";
import { display, window } from "./support/window.mjs";

const PATIENCE_MS = 20_000;
/** One that hangs fails by itself, and the rest still run. */
const test = (name, run) => untimed(name, { timeout: 6 * PATIENCE_MS }, run);

describe("the desktop window", () => {
  let host;
  let screen;
  let browser;
  let opened;
  let laptop;
  let desktop;
  let open;
  let code;

  before(async () => {
    host = await server();
    screen = await display();
    browser = await chromium();
    await plugIn(browser.driver, "usb");
    opened = await pages();
    laptop = folder("laptop");
    desktop = folder("desktop");
  });
  after(async () => {
    await open?.close();
    await browser?.close();
    opened?.stop();
    await screen?.stop();
    laptop?.remove();
    desktop?.remove();
    await host?.stop();
  });

  const show = async (home, theme) => {
    await open?.close();
    open = await window({ display: screen.name, home: home.path, browser: opened.command, theme });
  };
  const { find, heading, press, door, text, type, paste } = hands(() => open.driver, PATIENCE_MS);
  const { touch } = fingers(() => browser, () => opened, PATIENCE_MS);
  const look = (name) => picture(open.driver, `desktop/${name}`);

  test("a code that was cut short is refused, and says what to do", async () => {
    await show(laptop, "light");
    await heading("Let’s get you back in.");
    await look("1-get-back-in-light");
    await door("A code");
    await paste(host.ready.claim_token.slice(0, -3));
    await press("Continue");
    assert.match(await text("[role=alert]"), /token-mistyped/);
    await look("2-bad-code-light");
  });

  test("a code gets this machine in, by named steps", async () => {
    await paste(host.ready.claim_token);
    await press("Continue");
    await heading("Is this right?");
    await type("What shall you be called?", "bert");
    await type("What shall this machine be called?", "bert-laptop");
    await look("3-confirm-light");
    await press("Yes, get me in");
    await heading("You’re in, bert.");
    assert.match(await text(".steps"), /Key made on this machine[^]*Certificate from the server[^]*Kept on this machine/);
    await look("4-in-light");
  });

  test("a passkey is made in the browser, with the same number on both screens", async () => {
    await press("Make a passkey");
    await press("Use a security key");
    const number = await text("[role=dialog] .number");
    await look("5-passkey-light");
    await touch({ number });
    await find("//*[contains(., '1 passkey can confirm for you')]");
    await look("6-home-light");
  });

  test("a code for a new machine is made, once the passkey has confirmed it", async () => {
    await landfall(laptop.path, ["secret", "set", "wifi-cabin"], { input: "0O1lI-driftwood" });
    await press("Devices");
    await press("Add a device");
    await type("What shall the new machine be called?", "bert-desktop");
    await press("Make the code");
    await touch({ number: await text("[role=dialog] .number") });
    await heading("Enter this on bert-desktop");
    code = (await text("[data-testid=token]")).trim();
    assert.match(code, /^lf1\./);
    await look("7-code-light");
  });

  test("on the new machine, in dark, the code says what it is for before it is spent", async () => {
    await show(desktop, "dark");
    await heading("Let’s get you back in.");
    await look("8-get-back-in-dark");
    await door("A code");
    await paste(code);
    await press("Continue");
    await heading("Is this right?");
    assert.match(await text(".facts"), /bert at home[^]*bert-desktop/);
    await look("9-confirm-dark");
    await press("Yes, get me in");
    await heading("You’re in, bert.");
    await look("10-in-dark");
    const dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
    assert.equal(await open.driver.executeScript(dark), true, "the window follows the system's theme");
  });

  test("the same secrets are there, shown only when asked for", async () => {
    await press("Open my secrets");
    await find("//strong[.='wifi-cabin']");
    assert.doesNotMatch(await text("main"), /driftwood/);
    await press("Show");
    await find("//pre[.='0O1lI-driftwood']");
    await press("Copy");
    await find("//*[@role='status'][contains(., 'copied')]");
    assert.match(await text("[role=status]"), /wifi-cabin is copied\. The clipboard is emptied in (1:00|0:5\d)\./);
    await look("11-secrets-dark");
  });

  test("what agents ask for is asked of the server", async () => {
    await press("Agents");
    await heading("Agents that ask");
    await find("//p[.='No agent is asking.']");
  });

  test("the lost laptop is cut off at once, and is out", async () => {
    await press("Devices");
    await press("This one is lost");
    await heading("Is bert-laptop lost?");
    await look("12-lost-dark");
    await press("Cut off bert-laptop now");
    await touch({ number: await text("[role=dialog] .number") });
    await heading("bert-laptop is cut off.");
    await look("13-cut-off-dark");
    await assert.rejects(landfall(laptop.path, ["secret", "get", "wifi-cabin"]), /device-suspended/);
    await landfall(desktop.path, ["secret", "get", "wifi-cabin"]);
  });
});
