import { describe, expect, test } from "vitest";
import type { CeremonyOptions } from "@wire/CeremonyOptions";
import { askView, codeView, refused, wrong, wrongView } from "../src/ceremony/views";
import { loopbackOnly, readTicket } from "../src/ceremony/wire";

const SECRET = "vK3n2yQm8Zt0vK3n2yQm8Zt0vK3n2yQm8Zt0vK3n2yQ";

describe("the fragment", () => {
  test("is read when it is a ticket", () => {
    expect(readTicket(`#step-up.cer_7f3a19.${SECRET}`)).toEqual({ purpose: "step-up", ceremonyId: "cer_7f3a19", secret: SECRET });
    expect(readTicket(`#register.cer_7f3a19.${SECRET}`)?.purpose).toBe("register");
    expect(readTicket(`#recover.cer_7f3a19.${SECRET}`)?.purpose).toBe("recover");
  });
  test.each(["", "#", "#step-up", `#drill.c.${SECRET}`, "#step-up.c.short", `#step-up.a/b.${SECRET}`, `#step-up.c.${SECRET}.x`])(
    "%j is none",
    (fragment) => expect(readTicket(fragment)).toBeNull(),
  );
});

describe("the way back", () => {
  test("is on this machine", () => {
    expect(loopbackOnly("http://127.0.0.1:41234/abc?completion=x")).toBe("http://127.0.0.1:41234/abc?completion=x");
  });
  test.each([
    "https://127.0.0.1:41234/a",
    "http://127.0.0.1/a",
    "http://localhost:41234/a",
    "http://127.0.0.1.evil.example:80/a",
    "http://127.0.0.1@evil.example:8080/a",
    "http://user@127.0.0.1:41234/a",
    "javascript:alert(1)",
    "not an address",
  ])("and never %s", (url) => expect(loopbackOnly(url)).toBeNull());
});

describe("what the page shows", () => {
  const options: CeremonyOptions = {
    purpose: "step-up",
    tenant: "home",
    user: "bert",
    device: "bert-desktop",
    device_label: "<img src=x>",
    act: { act: "revoke-device", user: "bert", device: "bert-laptop" },
    passkey_label: null,
    match_number: "42",
    typed: false,
    expires_at: new Date(2026, 10, 21, 14, 32).toISOString(),
    public_key: {},
  };
  const page = (nodes: HTMLElement[]) => {
    document.body.replaceChildren(...nodes);
    return document.body;
  };

  test("who, which device, what exactly, the number, until when, and when to walk away", () => {
    const shown = page(askView(options, new Date(2026, 10, 21, 14, 30), () => {}));
    expect(shown.querySelector("h1")?.textContent).toBe("Confirm this, bert?");
    expect(shown.querySelector("#act")?.textContent).toBe("Cut off bert-laptop of bert for ever. It can never sign in again.");
    expect(shown.querySelector("#who")?.textContent).toBe("bert at home");
    expect(shown.querySelector("#device")?.textContent).toBe("bert-desktop (<img src=x>)");
    expect(shown.querySelector("#number")?.textContent).toContain("42");
    expect(shown.querySelector("#until")?.textContent).toBe("14:32");
    expect(shown.querySelector("#elsewhere")?.textContent).toContain("Close this page. Nothing happens.");
    expect(shown.querySelectorAll("button")).toHaveLength(1);
  });

  test("a label is text, never markup", () => {
    expect(page(askView(options, new Date(), () => {})).querySelector("img")).toBeNull();
  });

  test("an ordinary step-up names no act; a registration says what it makes", () => {
    expect(page(askView({ ...options, act: null }, new Date(), () => {})).querySelector("#act")).toBeNull();
    const register = page(askView({ ...options, purpose: "register", act: null }, new Date(), () => {}));
    expect(register.querySelector("h1")?.textContent).toBe("Make a passkey for bert");
    expect(register.querySelector("button")?.textContent).toBe("Make a passkey");
  });

  test("a bare machine's question says what the passkey opens, and to which machine", () => {
    const shown = page(askView({ ...options, purpose: "recover", act: null, device_label: null }, new Date(), () => {}));
    expect(shown.querySelector("h1")?.textContent).toBe("Let a new machine into the account of bert?");
    expect(shown.querySelector("#device")?.textContent).toBe("bert-desktop");
    expect(shown.querySelector("button")?.textContent).toBe("Let it in with my passkey");
  });

  test("the typed code says whom it is for", () => {
    const shown = page(codeView("7K2M-9QXA", options));
    expect(shown.querySelector("#code")?.textContent).toBe("7K2M-9QXA");
    expect(shown.textContent).toContain("Nobody else needs it.");
  });

  test("what went wrong: what, why, what next, and the code", () => {
    let again = 0;
    const shown = page(wrongView(wrong("offline", true), () => (again += 1)));
    expect(shown.querySelector("h1")?.textContent).toBe("The server did not answer");
    shown.querySelector<HTMLButtonElement>("#again")?.click();
    expect(again).toBe(1);
    const problem = { type: "urn:x", code: "ceremony-over", title: "This confirmation is over", detail: "Start again in the app.", status: 404, request_id: "01JD" } as const;
    const over = page(wrongView(refused(problem), () => {}));
    expect(over.querySelector("#wrong-code")?.textContent).toBe("ceremony-over · 01JD");
    expect(over.querySelector("button")).toBeNull();
  });
});
