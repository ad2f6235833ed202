// An agent wants more than it may. Its owner reads the difference in the window, says no once and yes once, and the
// agent has what was allowed and nothing else.
import assert from "node:assert/strict";
import { after, before, describe, test as untimed } from "node:test";
import { plugIn } from "./support/authenticators.mjs";
import { chromium, picture } from "./support/chromium.mjs";
import { hands } from "./support/hands.mjs";
import { folder, landfall, pages, server } from "./support/landfall.mjs";
import { fingers } from "./support/touch.mjs";
import { display, window } from "./support/window.mjs";

const PATIENCE_MS = 20_000;
const CALENDAR = "https://calendar.example.org";
const PROVIDER = `
[agents]
loopback = true
scopes = [{ scope = ["read"] }]
`;
/** One that hangs fails by itself, and the rest still run. */
const test = (name, run) => untimed(name, { timeout: 6 * PATIENCE_MS }, run);

describe("an agent that asks", () => {
  let host;
  let screen;
  let browser;
  let opened;
  let open;
  const homes = {};

  before(async () => {
    host = await server(PROVIDER);
    screen = await display();
    browser = await chromium();
    await plugIn(browser.driver, "usb");
    opened = await pages();
    for (const name of ["ana", "agent"]) homes[name] = folder(name);
    await landfall(homes.ana.path, ["claim", host.ready.claim_token, "--user", "ana", "--device", "ana-laptop"]);
    await withTouch(homes.ana, ["webauthn", "register", "--type", "roaming", "--label", "Ana"]);
    const { code } = await withTouch(homes.ana, ["agent", "link", "--name", "research"]);
    // The line that names the server and its root stands on a sheet.
    const { server: line } = await withTouch(homes.ana, ["recovery", "codes", "make"]);
    await landfall(homes.agent.path, ["agent", "enroll", "research", "--server", line], { input: `${code}\n` });
  });
  after(async () => {
    await open?.close();
    await browser?.close();
    opened?.stop();
    await screen?.stop();
    for (const home of Object.values(homes)) home.remove();
    await host?.stop();
  });

  const { find, heading, press } = hands(() => open.driver, PATIENCE_MS);
  const { touch, withTouch } = fingers(() => browser, () => opened, PATIENCE_MS);
  const look = (name) => picture(open.driver, `desktop/agents-${name}`);
  const wants = (words, extra = []) => {
    const scope = words.flatMap((word) => ["--scope", word]);
    return landfall(homes.agent.path, ["agent", "capability", ...scope, "--at", CALENDAR, ...extra]);
  };

  test("what it wants beyond what it may stands in the window, in its own words, and no means no", async () => {
    await wants(["read"]);
    const why = ["--ask", "--reason", "To move your dentist"];
    await assert.rejects(wants(["read", "write"], why), /capability-too-wide/);
    open = await window({ display: screen.name, home: homes.ana.path, browser: opened.command, theme: "light" });
    await find("//nav//*[contains(., 'Agents')]");
    await (await find("//nav//button[contains(., 'Agents')]")).click();
    await heading("Agents that ask");
    await find("//*[contains(., 'write: only with your yes')]");
    await find("//*[contains(., 'read: may already')]");
    await find("//*[contains(., '“To move your dentist”')]");
    await look("1-asks-light");
    await press("Refuse");
    await find("//*[contains(., 'may not do that.')]");
    await assert.rejects(wants(["write"]), /capability-too-wide/);
  });

  test("asked again and allowed with a touch for exactly that, it may; and nothing beyond it", async () => {
    await assert.rejects(wants(["write"], ["--ask"]), /capability-too-wide/);
    await press("Allow with my passkey");
    await touch();
    await find("//*[contains(., 'may do that until')]");
    await look("2-allowed-light");
    const { capability } = await wants(["write"]);
    const claims = JSON.parse(Buffer.from(capability.split(".")[1], "base64url"));
    assert.equal(claims.scope, "write");
    await assert.rejects(wants(["write", "delete"]), /capability-too-wide/);
    await assert.rejects(
      landfall(homes.agent.path, ["agent", "capability", "--scope", "write", "--at", "https://bank.example.org"]),
      /capability-too-wide/,
    );
  });
});
