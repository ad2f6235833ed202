import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import type { Api } from "../src/app/api";
import * as recorded from "../src/gallery/recorded";
import { expectAccessible, show } from "./show";

async function goTo(place: string, changes: Partial<Api> = {}) {
  const user = show(changes);
  await user.click(await screen.findByRole("button", { name: place }));
  return user;
}

describe("home", () => {
  test("says who I am on which device", async () => {
    show();
    expect(await screen.findByRole("heading", { name: "You’re signed in, bert." })).toBeTruthy();
    expect(await screen.findByText("1 passkey can confirm for you")).toBeTruthy();
    expect(screen.getAllByText("bert-desktop").length).toBeGreaterThan(0);
    expect(screen.getByRole("button", { name: "Home" }).getAttribute("aria-current")).toBe("page");
    await expectAccessible();
  });

  test("without a passkey, and with the right to make one, it offers both kinds", async () => {
    const addPasskey = vi.fn<Api["addPasskey"]>(async () => recorded.passkey);
    const user = show({ me: async () => recorded.meWithoutPasskey, addPasskey });
    await user.click(await screen.findByRole("button", { name: "Use a security key" }));
    expect(addPasskey).toHaveBeenCalledWith("roaming", "Security key", expect.any(Function));
    expect(await screen.findByText("Your passkey is ready.")).toBeTruthy();
  });

  test("a machine whose identity is over is shown the way back in", async () => {
    const over = { ...recorded.offline, code: "device-revoked", remedy: "enroll-again" } as const;
    const user = show({ me: () => Promise.reject(over) });
    await user.click(await screen.findByRole("button", { name: "Get this machine back in" }));
    expect(await screen.findByRole("heading", { name: "Let’s get you back in." })).toBeTruthy();
  });

  test("a frozen account is said first, and can be unfrozen from here", async () => {
    const me = vi.fn<Api["me"]>().mockResolvedValueOnce({ ...recorded.me, frozen: true }).mockResolvedValue(recorded.me);
    const unfreeze = vi.fn<Api["unfreeze"]>(async () => ({ frozen: false, sessions_ended: 0, recoveries_stopped: 0 }));
    const user = show({ me, unfreeze });
    expect(await screen.findByRole("heading", { name: "Your account is frozen" })).toBeTruthy();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Unfreeze with my passkey" }));
    await waitFor(() => expect(screen.queryByRole("heading", { name: "Your account is frozen" })).toBeNull());
    expect(unfreeze).toHaveBeenCalledOnce();
  });
});

describe("devices", () => {
  test("each device says in words where it stands; this one cannot be lost", async () => {
    await goTo("Devices");
    const rows = (await screen.findAllByRole("listitem")).map((row) => within(row));
    expect(rows[0]?.getByText("this machine")).toBeTruthy();
    expect(rows[0]?.queryByRole("button")).toBeNull();
    expect(rows[1]?.getByText("works")).toBeTruthy();
    expect(rows[2]?.getByText("cut off for now")).toBeTruthy();
    expect(rows[3]?.getByText("cut off for ever")).toBeTruthy();
    expect(rows[3]?.queryByRole("button")).toBeNull();
    await expectAccessible();
  });

  test("what happens to the device and the secrets is said before the button", async () => {
    const suspendDevice = vi.fn<Api["suspendDevice"]>(async () => recorded.cut);
    const user = await goTo("Devices", { suspendDevice });
    await user.click(await screen.findByRole("button", { name: "This one is lost: bert-laptop" }));
    const device = await screen.findByRole("heading", { name: "What happens to bert-laptop" });
    const secrets = screen.getByRole("heading", { name: "What happens to your secrets" });
    const button = screen.getByRole("button", { name: "Cut off bert-laptop now" });
    for (const before of [device, secrets]) {
      expect(before.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    }
    expect(suspendDevice).not.toHaveBeenCalled();
    await user.click(button);
    expect(suspendDevice).toHaveBeenCalledWith("bert-laptop", expect.any(Function));
    expect(await screen.findByRole("heading", { name: "bert-laptop is cut off." })).toBeTruthy();
    expect(screen.getByText("Blue security key")).toBeTruthy();
    await expectAccessible();
  });

  test("for ever can be refused with a reason, and it stays cut off", async () => {
    const user = await goTo("Devices", { revokeDevice: () => Promise.reject(recorded.probation) });
    await user.click(await screen.findByRole("button", { name: "This one is lost: bert-laptop" }));
    await user.click(await screen.findByRole("button", { name: "Cut off bert-laptop now" }));
    await user.click(await screen.findByRole("button", { name: "Cut it off for ever" }));
    expect((await screen.findByRole("alert")).textContent).toContain("From tomorrow, 14:10");
    expect(screen.getByRole("heading", { name: "bert-laptop is cut off." })).toBeTruthy();
  });

  test("while the passkey is asked for, the number and the exact act are shown, and it can be stopped", async () => {
    const flowCancel = vi.fn(async () => undefined);
    const flowOtherWay = vi.fn(async () => undefined);
    const user = await goTo("Devices", {
      flowCancel,
      flowOtherWay,
      suspendDevice: (_name, onView) => (onView(recorded.askingLong), new Promise(() => {})),
    });
    await user.click(await screen.findByRole("button", { name: "This one is lost: bert-laptop" }));
    await user.click(await screen.findByRole("button", { name: "Cut off bert-laptop now" }));
    const dialog = await screen.findByRole("dialog", { name: "Confirm in your browser" });
    expect(within(dialog).getByText("42")).toBeTruthy();
    expect(dialog.textContent).toContain("Cut off bert-laptop of bert for ever. It can never sign in again.");
    await expectAccessible();
    await user.click(within(dialog).getByRole("button", { name: "Use another device" }));
    expect(flowOtherWay).toHaveBeenCalledOnce();
    await user.click(within(dialog).getByRole("button", { name: "Cancel" }));
    expect(flowCancel).toHaveBeenCalledOnce();
  });

  test("by hand: the address is shown and the typed code is handed over", async () => {
    const flowTyped = vi.fn<Api["flowTyped"]>(async () => undefined);
    const user = await goTo("Devices", {
      flowTyped,
      suspendDevice: (_name, onView) => (onView(recorded.askingTyped), new Promise(() => {})),
    });
    await user.click(await screen.findByRole("button", { name: "This one is lost: bert-laptop" }));
    await user.click(await screen.findByRole("button", { name: "Cut off bert-laptop now" }));
    await user.type(await screen.findByLabelText("Code from the page"), "7K2M-9QXA");
    await user.click(screen.getByRole("button", { name: "That is the code" }));
    expect(flowTyped).toHaveBeenCalledWith("7K2M-9QXA");
  });

  test("a plugged-in key asks for its PIN here, says what is left, and the browser stays in reach", async () => {
    const flowPin = vi.fn<Api["flowPin"]>(async () => undefined);
    const flowOtherWay = vi.fn(async () => undefined);
    const user = await goTo("Devices", {
      flowPin,
      flowOtherWay,
      suspendDevice: (_name, onView) => (onView(recorded.askingPin), new Promise(() => {})),
    });
    await user.click(await screen.findByRole("button", { name: "This one is lost: bert-laptop" }));
    await user.click(await screen.findByRole("button", { name: "Cut off bert-laptop now" }));
    const dialog = await screen.findByRole("dialog", { name: "Confirm with your security key" });
    expect(dialog.textContent).toContain("Cut off bert-laptop of bert for ever.");
    expect(dialog.textContent).toContain("The key takes 6 more before it locks itself for good.");
    expect(dialog.textContent).toContain("Your security key, touched here");
    expect(dialog.textContent).not.toContain("in the browser");
    const field = within(dialog).getByLabelText<HTMLInputElement>("PIN of the security key");
    expect(field.type).toBe("password");
    await expectAccessible();
    await user.type(field, "482913");
    await user.click(within(dialog).getByRole("button", { name: "That is the PIN" }));
    expect(flowPin).toHaveBeenCalledWith("482913");
    expect(field.value).toBe("");
    await user.click(within(dialog).getByRole("button", { name: "Use the browser instead" }));
    expect(flowOtherWay).toHaveBeenCalledOnce();
  });

  test("a mistyped code is said, and the address can be copied to where the passkey is", async () => {
    const copyText = vi.fn<Api["copyText"]>(async () => ({ clears_at: new Date(Date.now() + 60_000).toISOString() }));
    const user = await goTo("Devices", {
      copyText,
      suspendDevice: (_name, onView) => (onView(recorded.askingMistyped), new Promise(() => {})),
    });
    await user.click(await screen.findByRole("button", { name: "This one is lost: bert-laptop" }));
    await user.click(await screen.findByRole("button", { name: "Cut off bert-laptop now" }));
    expect((await screen.findByRole("alert")).textContent).toBe("That is not the code the page shows. Look at the page again; tries left: 2.");
    await user.click(screen.getByRole("button", { name: "Copy the address" }));
    expect(copyText).toHaveBeenCalledWith(expect.stringContaining("/ceremony#step-up."));
    expect(await screen.findByText("Copied.")).toBeTruthy();
    await expectAccessible();
  });
});

describe("add a device", () => {
  async function mint(changes: Partial<Api> = {}) {
    const user = await goTo("Devices", changes);
    await user.click(await screen.findByRole("button", { name: "Add a device" }));
    await user.type(await screen.findByLabelText("What shall the new machine be called?"), "bert-phone");
    await user.click(screen.getByRole("button", { name: "Make the code" }));
    return user;
  }

  test("shows the code, its picture and until when, and copies it for a minute", async () => {
    const copyText = vi.fn<Api["copyText"]>(async () => ({ clears_at: new Date(Date.now() + 60_000).toISOString() }));
    const user = await mint({ copyText });
    expect((await screen.findByTestId("token")).textContent).toBe(recorded.text);
    expect(screen.getByRole("img", { name: "The code as a picture to scan" })).toBeTruthy();
    expect(screen.getByText(/^until \d\d:\d\d, 9:\d\d left$/)).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Copy" }));
    expect(copyText).toHaveBeenCalledWith(recorded.text);
    expect(await screen.findByText(/The clipboard is emptied in (1:00|0:59)/)).toBeTruthy();
    await expectAccessible();
  });

  test("says who used it, and freezes everything if that was somebody else", async () => {
    const user = await mint({ addDevice: async () => ({ ...recorded.newToken, info: recorded.usedToken }) });
    expect(await screen.findByRole("heading", { name: "bert-phone is in" })).toBeTruthy();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Not you? Freeze everything" }));
    expect(await screen.findByRole("heading", { name: "Everything is frozen" })).toBeTruthy();
  });

  test("a code that could not be cancelled stays on the screen, with the reason", async () => {
    const user = await mint({ cancelToken: () => Promise.reject(recorded.offline) });
    await user.click(await screen.findByRole("button", { name: "Cancel the code" }));
    expect((await screen.findByRole("alert")).textContent).toContain("The server cannot be reached");
    expect(screen.getByTestId("token")).toBeTruthy();
  });

  test("an expired code says so and offers another", async () => {
    const expired = { ...recorded.tokenInfo, state: "expired" as const };
    await mint({ addDevice: async () => ({ ...recorded.newToken, info: expired }) });
    expect(await screen.findByText(/has expired/)).toBeTruthy();
    expect(screen.queryByTestId("token")).toBeNull();
  });
});

describe("secrets", () => {
  test("a value is on the screen only while it is wanted", async () => {
    const user = await goTo("Secrets");
    expect(await screen.findByText("bank/giro")).toBeTruthy();
    expect(screen.queryByText(/DE02/)).toBeNull();
    await user.click(screen.getByRole("button", { name: "Show bank/giro" }));
    expect(await screen.findByText(/DE02/)).toBeTruthy();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Hide bank/giro" }));
    expect(screen.queryByText(/DE02/)).toBeNull();
  });

  test("copying does not show the value, and counts down", async () => {
    const reveal = vi.fn<Api["reveal"]>();
    const copySecret = vi.fn<Api["copySecret"]>(async () => ({ clears_at: new Date(Date.now() + 60_000).toISOString() }));
    const user = await goTo("Secrets", { reveal, copySecret });
    await user.click(await screen.findByRole("button", { name: "Copy wifi-cabin" }));
    expect(copySecret).toHaveBeenCalledWith("wifi-cabin");
    await waitFor(() => expect(screen.getByRole("status").textContent).toMatch(/^wifi-cabin is copied\. .* in (1:00|0:59)\.$/));
    expect(reveal).not.toHaveBeenCalled();
  });

  test("bytes that are not text are not shown as text", async () => {
    const user = await goTo("Secrets", { reveal: async (name) => ({ name, version: 1, text: null, size: 2048 }) });
    await user.click(await screen.findByRole("button", { name: "Show bank/giro" }));
    expect(await screen.findByText(/This is not text/)).toBeTruthy();
  });

  test("without a connection it says so and loads again", async () => {
    const secrets = vi.fn<Api["secrets"]>().mockRejectedValueOnce(recorded.offline).mockResolvedValue(recorded.secrets);
    const user = await goTo("Secrets", { secrets });
    await user.click(await screen.findByRole("button", { name: "Try again" }));
    expect(await screen.findByText("bank/giro")).toBeTruthy();
  });
});
