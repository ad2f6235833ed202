import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import type { Api } from "../src/app/api";
import * as recorded from "../src/gallery/recorded";
import * as recovery from "../src/gallery/recorded-recovery";
import { expectAccessible, show } from "./show";

async function goTo(place: RegExp, changes: Partial<Api> = {}) {
  const user = show(changes);
  await user.click(await screen.findByRole("button", { name: place }));
  return user;
}

describe("recovery codes", () => {
  test("it says how many are left, and what became of each", async () => {
    const user = await goTo(/^Being ready/);
    expect(await screen.findByText(/^9 codes are left, made /)).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Show each" }));
    expect(screen.getAllByText("works").length).toBe(10);
    expect(screen.getByText(/^let in bert-desktop, /)).toBeTruthy();
    expect(screen.getByText(/^replaced, /)).toBeTruthy();
    await expectAccessible();
  });

  test("whoever has none, or few, is told so", async () => {
    await goTo(/^Being ready/, { codes: async () => [] });
    expect(await screen.findByText("missing")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Make recovery codes" })).toBeTruthy();
  });

  test("what happens to older codes is said before they are made; they are shown once, printed and kept", async () => {
    const makeCodes = vi.fn<Api["makeCodes"]>(async () => recovery.sheet);
    const print = vi.fn(async () => undefined);
    const saveSheet = vi.fn<Api["saveSheet"]>(async () => ({ path: "/home/bert/Downloads/codes.pdf" }));
    const user = await goTo(/^Being ready/, { makeCodes, print, saveSheet });
    await user.click(await screen.findByRole("button", { name: "Make new ones" }));
    const old = await screen.findByText("They stop working at once. Destroy their page.");
    const button = screen.getByRole("button", { name: "Make ten codes" });
    expect(old.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    expect(makeCodes).not.toHaveBeenCalled();
    await user.click(button);
    const sheet = await screen.findByRole("article", { name: "Recovery codes of bert" });
    for (const code of recovery.sheet.codes) expect(within(sheet).getByText(code)).toBeTruthy();
    expect(sheet.textContent).toContain(recovery.serverLine);
    expect(within(sheet).getByRole("img", { name: "The server line as a picture to scan" })).toBeTruthy();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Print" }));
    expect(print).toHaveBeenCalledOnce();
    await user.click(screen.getByRole("button", { name: "Save as PDF" }));
    expect(saveSheet).toHaveBeenCalledWith(recovery.sheet, "pdf");
    expect((await screen.findByRole("status")).textContent).toContain("/home/bert/Downloads/codes.pdf");
    await user.click(screen.getByRole("button", { name: "They are on paper" }));
    expect(await screen.findByRole("heading", { name: "If this machine were gone" })).toBeTruthy();
    expect(screen.queryByText(recovery.sheet.codes[0] ?? "")).toBeNull();
  });
});

describe("addresses", () => {
  test("one is added, and counts once its code has come back", async () => {
    const addresses = vi
      .fn<Api["addresses"]>()
      .mockResolvedValueOnce([recovery.address])
      .mockResolvedValueOnce([recovery.address, recovery.unconfirmed])
      .mockResolvedValue([recovery.address, { ...recovery.unconfirmed, confirmed_at: recovery.address.confirmed_at }]);
    const addAddress = vi.fn<Api["addAddress"]>(async () => recovery.unconfirmed);
    const confirmAddress = vi.fn<Api["confirmAddress"]>(async () => recovery.address);
    const user = await goTo(/^Being ready/, { addresses, addAddress, confirmAddress });
    await user.type(await screen.findByLabelText("A mail address"), recovery.unconfirmed.address);
    await user.click(screen.getByRole("button", { name: "Add it" }));
    expect(addAddress).toHaveBeenCalledWith(recovery.unconfirmed.address, expect.any(Function));
    expect(await screen.findByText("waits for its code")).toBeTruthy();
    await expectAccessible();
    await user.type(screen.getByLabelText(`The code in the mail to ${recovery.unconfirmed.address}`), "4K7M-9QXA");
    await user.click(screen.getByRole("button", { name: "Confirm" }));
    expect(confirmAddress).toHaveBeenCalledWith(recovery.unconfirmed.id, "4K7M-9QXA");
    await waitFor(() => expect(screen.getAllByText(/^since /).length).toBe(2));
    expect(screen.queryByLabelText("A mail address")).toBeNull();
  });

  test("removing one is asked about first", async () => {
    const removeAddress = vi.fn<Api["removeAddress"]>(async () => undefined);
    const user = await goTo(/^Being ready/, { removeAddress });
    await user.click(await screen.findByRole("button", { name: "Remove bert@harbour.example" }));
    expect(removeAddress).not.toHaveBeenCalled();
    await user.click(screen.getByRole("button", { name: "Remove it" }));
    expect(removeAddress).toHaveBeenCalledWith(recovery.address.id, expect.any(Function));
  });
});

describe("somebody is on their way in", () => {
  test("it is said at home and beside every place, and can be stopped", async () => {
    const recoveries = vi.fn<Api["recoveries"]>(async () => [recovery.asked]);
    const stopRecovery = vi.fn<Api["stopRecovery"]>(async () => ({ ...recovery.asked, state: "stopped" }));
    const user = show({ recoveries, stopRecovery });
    expect(await screen.findByRole("heading", { name: "Somebody is on their way into your account." })).toBeTruthy();
    expect(screen.getByRole("button", { name: /^Being ready.*1 to look at$/ })).toBeTruthy();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Look at it" }));
    expect(await screen.findByRole("heading", { name: "bert-desktop asks to be let in as you" })).toBeTruthy();
    expect(screen.getByText("81.92.0.0/24")).toBeTruthy();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "That is not me: stop it" }));
    expect(stopRecovery).toHaveBeenCalledWith(recovery.asked.id, expect.any(Function));
    expect(await screen.findByRole("heading", { name: "bert-desktop does not come in." })).toBeTruthy();
  });

  test("one that was stopped alarms nobody", async () => {
    show({ recoveries: async () => [{ ...recovery.asked, state: "stopped" }] });
    expect(await screen.findByRole("heading", { name: "You’re signed in, bert." })).toBeTruthy();
    expect(screen.queryByRole("heading", { name: "Somebody is on their way into your account." })).toBeNull();
  });
});

describe("what happened", () => {
  test("each notice can be doubted; what stops and what stays is said before everything stops", async () => {
    const freeze = vi.fn<Api["freeze"]>(async () => ({ frozen: true, sessions_ended: 2, recoveries_stopped: 0 }));
    const user = await goTo(/^What happened/, { freeze });
    await user.click(await screen.findByRole("button", { name: /^That wasn’t me: New device, / }));
    expect(screen.getByText(recovery.notices[0]?.text ?? "")).toBeTruthy();
    const button = screen.getByRole("button", { name: "Freeze everything now" });
    for (const name of ["What stops", "What stays"]) {
      const said = screen.getByRole("heading", { name });
      expect(said.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    }
    await expectAccessible();
    expect(freeze).not.toHaveBeenCalled();
    await user.click(button);
    expect(await screen.findByRole("heading", { name: "Everything is frozen" })).toBeTruthy();
  });

  test("older ones come page by page", async () => {
    const [newest, ...rest] = recovery.notices;
    const notices = vi.fn<Api["notices"]>(async (after) =>
      after === null ? { items: newest ? [newest] : [], next: "c1" } : { items: rest, next: null },
    );
    const user = await goTo(/^What happened/, { notices });
    await user.click(await screen.findByRole("button", { name: "Show older" }));
    expect(notices).toHaveBeenLastCalledWith("c1");
    expect((await screen.findAllByRole("listitem")).length).toBe(3);
    expect(screen.queryByRole("button", { name: "Show older" })).toBeNull();
    await expectAccessible();
  });
});

describe("the administrators' queue", () => {
  const ana: Partial<Api> = {
    standing: async () => ({ ...recorded.enrolled, user: "ana", device: "ana-laptop" }) as typeof recorded.enrolled,
    me: async () => ({ ...recorded.me, user: "ana", role: "admin" }),
  };

  test("members have none", async () => {
    show();
    expect(await screen.findByRole("heading", { name: "You’re signed in, bert." })).toBeTruthy();
    expect(screen.queryByRole("button", { name: /^Waiting for people/ })).toBeNull();
  });

  test("it says who, for what, from where, and what was shown; what is over is not decided again", async () => {
    await goTo(/^Waiting for people/, ana);
    const rows = (await screen.findAllByRole("row")).slice(1).map((row) => within(row));
    expect(rows[0]?.getByText("bert-desktop")).toBeTruthy();
    expect(rows[0]?.getByText(/^from 81\.92\.0\.0\/24, /)).toBeTruthy();
    expect(rows[0]?.getByText("a recovery code")).toBeTruthy();
    expect(rows[1]?.getByText(/^held until /)).toBeTruthy();
    expect(rows[1]?.getByText("administrator ana")).toBeTruthy();
    expect(rows[1]?.getByText("a recovery code, counts no more")).toBeTruthy();
    expect(rows[2]?.getByText("you yourself")).toBeTruthy();
    expect(rows[3]?.queryByRole("button")).toBeNull();
    await expectAccessible();
  });

  test("what is read out leads to the right one, and stands there already", async () => {
    const findRecovery = vi.fn<Api["findRecovery"]>(async () => recovery.asked);
    const approve = vi.fn<Api["approve"]>(async () => recovery.askedHeld);
    const user = await goTo(/^Waiting for people/, { ...ana, findRecovery, approve });
    const find = await screen.findByRole("button", { name: "Find them" });
    expect((find as HTMLButtonElement).disabled).toBe(true);
    await user.type(screen.getByLabelText(/^On the phone/), "4K7M-9QXA");
    await user.click(find);
    expect(findRecovery).toHaveBeenCalledWith("4K7M-9QXA");
    expect(await screen.findByRole("heading", { name: "Is this bert?" })).toBeTruthy();
    await user.type(screen.getByLabelText("How do you know that it is them?"), "Called him");
    await user.click(screen.getByRole("button", { name: "Approve with my passkey" }));
    expect(approve).toHaveBeenCalledWith(recovery.asked.id, "4K7M-9QXA", "Called him", expect.any(Function));
  });

  test("characters that no machine shows lead to nobody", async () => {
    const user = await goTo(/^Waiting for people/, { ...ana, findRecovery: () => Promise.reject(recovery.shownByNone) });
    await user.type(await screen.findByLabelText(/^On the phone/), "4K7M-9QXA");
    await user.click(screen.getByRole("button", { name: "Find them" }));
    expect(await screen.findByText(/^No machine that is on its way back in shows these characters/)).toBeTruthy();
    expect(screen.getByRole("button", { name: "Review bert" })).toBeTruthy();
    await expectAccessible();
  });

  test("approving takes what only the person’s machine can tell, a reason, and a touch for exactly these words", async () => {
    const approve = vi.fn<Api["approve"]>(async () => recovery.askedHeld);
    const user = await goTo(/^Waiting for people/, { ...ana, approve });
    await user.click(await screen.findByRole("button", { name: "Review bert" }));
    expect(await screen.findByRole("heading", { name: "Is this bert?" })).toBeTruthy();
    const call = screen.getByRole("heading", { name: "Call bert first" });
    const button = screen.getByRole("button", { name: "Approve with my passkey" });
    expect(call.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    expect(button).toHaveProperty("disabled", true);
    await user.type(screen.getByLabelText("The eight characters that they read out"), "4k7m 9qxa");
    expect(button).toHaveProperty("disabled", true);
    await user.type(screen.getByLabelText("How do you know that it is them?"), "He knew his badge number");
    expect(document.querySelector(".act")?.textContent).toBe(
      "Let a new device sign in as bert, who has lost theirs. Your reason: “He knew his badge number”",
    );
    await expectAccessible();
    await user.click(button);
    expect(approve).toHaveBeenCalledWith(recovery.asked.id, "4k7m 9qxa", "He knew his badge number", expect.any(Function));
    expect(await screen.findByRole("heading", { name: /^Approved, and held until / })).toBeTruthy();
    await expectAccessible();
  });

  test("other characters approve nothing, and say what that may mean", async () => {
    const user = await goTo(/^Waiting for people/, { ...ana, approve: () => Promise.reject(recovery.checkWrong) });
    await user.click(await screen.findByRole("button", { name: "Review bert" }));
    await user.type(await screen.findByLabelText("The eight characters that they read out"), "0000-0000");
    await user.type(screen.getByLabelText("How do you know that it is them?"), "sounded like him");
    await user.click(screen.getByRole("button", { name: "Approve with my passkey" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Somebody else may be asking in that name");
  });

  test("somebody can be refused; oneself can be refused and never approved", async () => {
    const refuse = vi.fn<Api["refuse"]>(async () => ({ ...recovery.asked, state: "stopped" }));
    const user = await goTo(/^Waiting for people/, { ...ana, refuse });
    await user.click(await screen.findByRole("button", { name: "Review ana" }));
    expect(await screen.findByRole("heading", { name: "That is you." })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Approve with my passkey" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Back to the queue" }));
    await user.click(await screen.findByRole("button", { name: "Review bert" }));
    await user.click(await screen.findByRole("button", { name: "Refuse bert" }));
    expect(refuse).toHaveBeenCalledWith(recovery.asked.id, expect.any(Function));
    expect(await screen.findByRole("heading", { name: "bert-desktop does not come in." })).toBeTruthy();
  });
});
