import { screen, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import type { Api } from "../src/app/api";
import * as recorded from "../src/gallery/recorded";
import * as recovery from "../src/gallery/recorded-recovery";
import { expectAccessible, show } from "./show";

const fresh = { standing: async () => recorded.newcomer };
const begun = (here: typeof recovery.waiting, changes: Partial<Api> = {}) =>
  show({ ...fresh, recoveryHere: async () => here, recoveryGoOn: async () => here, ...changes });

async function typeSheet(user: ReturnType<typeof show>) {
  await user.click(await screen.findByRole("button", { name: /^My recovery sheet/ }));
  await user.type(await screen.findByLabelText("Server"), recovery.serverLine);
  await user.type(screen.getByLabelText("Your user name"), "bert");
  await user.type(screen.getByLabelText("One of the codes"), recovery.code);
  await user.click(screen.getByRole("button", { name: "Continue" }));
}

describe("the first screen", () => {
  test("says what happens to the machine and the secrets, and asks what there is", async () => {
    show(fresh);
    expect(await screen.findByRole("heading", { name: "Let’s get you back in." })).toBeTruthy();
    expect(screen.getByRole("heading", { name: "What happens to the lost machine" })).toBeTruthy();
    expect(screen.getByRole("heading", { name: "What happens to your secrets" })).toBeTruthy();
    const doors = screen.getAllByRole("button").map((door) => door.textContent);
    expect(doors.map((door) => /^(A code|My recovery sheet|None of these)/.exec(door ?? "")?.[0])).toEqual([
      "A code",
      "My recovery sheet",
      "None of these",
    ]);
    await expectAccessible();
  });

  test("a way in can be left for another", async () => {
    const user = show(fresh);
    for (const door of [/^A code/, /^My recovery sheet/, /^None of these/]) {
      await user.click(await screen.findByRole("button", { name: door }));
      await user.click(await screen.findByRole("button", { name: "Another way in" }));
    }
    expect(await screen.findByRole("heading", { name: "Let’s get you back in." })).toBeTruthy();
  });
});

describe("with a sheet", () => {
  test("what is typed is read first, and what it leads to is said before the button", async () => {
    const readSheet = vi.fn<Api["readSheet"]>(async () => recovery.sheetRead);
    const recover = vi.fn<Api["recover"]>(async (_typed, onView) => (onView(recovery.asking), recovery.waiting));
    const user = show({ ...fresh, readSheet, recover });
    await typeSheet(user);
    const paper = { server: recovery.serverLine, user: "bert", code: recovery.code };
    expect(readSheet).toHaveBeenLastCalledWith({ ...paper, device: "", lost: null });
    expect(recover).not.toHaveBeenCalled();
    await user.type(await screen.findByLabelText("What shall this machine be called?"), "bert-desktop");
    const lost = screen.getByLabelText("Which machine is lost?");
    expect(screen.getByText(/It keeps working until it is cut off/)).toBeTruthy();
    await user.type(lost, "bert-laptop");
    const said = screen.getByText(/is cut off the moment you are in/);
    const secrets = screen.getByRole("heading", { name: "What happens to your secrets" });
    const button = screen.getByRole("button", { name: "Yes, get me in" });
    for (const before of [said, secrets]) {
      expect(before.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    }
    await expectAccessible();
    await user.click(button);
    expect(recover).toHaveBeenCalledWith({ ...paper, device: "bert-desktop", lost: "bert-laptop" }, expect.any(Function));
    expect(await screen.findByText("4K7M-9QXA")).toBeTruthy();
  });

  test("a slip is said where it was typed, and nothing typed is lost", async () => {
    const user = show({ ...fresh, readSheet: () => Promise.reject(recovery.mistyped) });
    await typeSheet(user);
    expect((await screen.findByRole("alert")).textContent).toContain("One of its characters is not the one on the sheet");
    expect(screen.getByLabelText("One of the codes")).toHaveProperty("value", recovery.code);
    await expectAccessible();
  });

  test("with help alone no code is asked for or sent", async () => {
    const recover = vi.fn<Api["recover"]>(async () => recovery.waitingWithoutCode);
    const user = show({ ...fresh, recover });
    await user.click(await screen.findByRole("button", { name: /^None of these/ }));
    await user.type(await screen.findByLabelText("Server"), "https://id.harbour.example");
    await user.type(screen.getByLabelText("Your user name"), "bert");
    expect(screen.queryByLabelText("One of the codes")).toBeNull();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Continue" }));
    await user.type(await screen.findByLabelText("What shall this machine be called?"), "bert-desktop");
    await user.click(screen.getByRole("button", { name: "Yes, get me in" }));
    const typed = { server: "https://id.harbour.example", user: "bert", code: null, device: "bert-desktop", lost: null };
    expect(recover).toHaveBeenCalledWith(typed, expect.any(Function));
  });
});

describe("while others are waited for", () => {
  test("it says whom to call, what they will ask, what happens next, by when, and that the window may be closed", async () => {
    begun(recovery.waiting);
    expect(await screen.findByRole("heading", { name: "Now call an administrator." })).toBeTruthy();
    expect(screen.getByText("4K7M-9QXA").textContent).toBe("The characters to read out: 4K7M-9QXA");
    expect(screen.getByText("a recovery code")).toBeTruthy();
    expect(screen.getByRole("heading", { name: "What happens next" })).toBeTruthy();
    const close = screen.getByRole("heading", { name: "You may close this window" }).parentElement;
    expect(close?.textContent).toMatch(/It waits until .*\d\d:\d\d\./);
    expect(screen.queryByRole("button", { name: "I have a code" })).toBeNull();
    await expectAccessible();
  });

  test("a window that is opened again goes on by itself, all the way in", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 50 });
    const answers = [recovery.waiting, recovery.held, recovery.recovered];
    const recoveryGoOn = vi.fn<Api["recoveryGoOn"]>(async () => answers.shift() ?? recovery.recovered);
    begun(recovery.waiting, { recoveryGoOn });
    expect(await screen.findByText("4K7M-9QXA")).toBeTruthy();
    await vi.advanceTimersByTimeAsync(3100);
    expect(await screen.findByRole("heading", { name: /^Approved\. It opens at / })).toBeTruthy();
    await expectAccessible();
    await vi.advanceTimersByTimeAsync(3100);
    expect(await screen.findByRole("heading", { name: "Write this down now." })).toBeTruthy();
    expect(recoveryGoOn.mock.calls.every(([change]) => change === null)).toBe(true);
    vi.useRealTimers();
  });

  test("a network that is away is said, and the characters stay", async () => {
    begun(recovery.waitingOffline);
    expect(await screen.findByText("4K7M-9QXA")).toBeTruthy();
    expect(screen.getByRole("status").textContent).toContain("asks again by itself");
  });

  test("a code that turns up can be given", async () => {
    const recoveryGoOn = vi.fn<Api["recoveryGoOn"]>(async () => recovery.waitingWithoutCode);
    const user = begun(recovery.waitingWithoutCode, { recoveryGoOn });
    await user.click(await screen.findByRole("button", { name: "I have a code" }));
    await user.type(await screen.findByLabelText("Which code do you have?"), recovery.code);
    await user.click(screen.getByRole("button", { name: "Use this code" }));
    expect(recoveryGoOn).toHaveBeenCalledWith({ change: "code", code: recovery.code }, expect.any(Function));
  });

  test("going another way is asked about first, and then forgotten", async () => {
    const recoveryDrop = vi.fn(async () => undefined);
    const user = begun(recovery.waiting, { recoveryDrop });
    await user.click(await screen.findByRole("button", { name: "Go another way" }));
    expect(recoveryDrop).not.toHaveBeenCalled();
    await user.click(screen.getByRole("button", { name: "Keep waiting" }));
    await user.click(screen.getByRole("button", { name: "Go another way" }));
    await user.click(screen.getByRole("button", { name: "Forget it" }));
    expect(recoveryDrop).toHaveBeenCalledOnce();
    expect(await screen.findByRole("heading", { name: "Let’s get you back in." })).toBeTruthy();
  });
});

describe("what was not taken is asked for again, and nothing else is lost", () => {
  test.each([
    ["a code", recovery.otherCode, "One of the codes", "Use this code", { change: "code", code: "xyz" }],
    ["a name", recovery.otherDevice, "What shall this machine be called?", "Continue", { change: "device", device: "xyz" }],
    ["a lost machine", recovery.otherLost, "Which machine is lost?", "That is the lost one", { change: "lost", lost: "xyz" }],
  ] as const)("%s", async (_what, here, label, go, change) => {
    const recoveryGoOn = vi.fn<Api["recoveryGoOn"]>().mockResolvedValueOnce(here).mockResolvedValue(recovery.waiting);
    const user = begun(here, { recoveryGoOn });
    await user.type(await screen.findByLabelText(label), "xyz");
    expect(screen.getByRole("alert").textContent).toContain(here.flow.failure?.detail);
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: go }));
    expect(recoveryGoOn).toHaveBeenLastCalledWith(change, expect.any(Function));
    expect(await screen.findByText("4K7M-9QXA")).toBeTruthy();
  });

  test("without a code, and without a lost machine, it goes on, too", async () => {
    const recoveryGoOn = vi.fn<Api["recoveryGoOn"]>().mockResolvedValueOnce(recovery.otherLost).mockResolvedValue(recovery.waiting);
    const user = begun(recovery.otherLost, { recoveryGoOn });
    await user.click(await screen.findByRole("button", { name: "Go on without naming it" }));
    expect(recoveryGoOn).toHaveBeenLastCalledWith({ change: "lost", lost: null }, expect.any(Function));
  });

  test("what stopped can be tried again; what is over is begun anew", async () => {
    const recoveryGoOn = vi.fn<Api["recoveryGoOn"]>().mockResolvedValueOnce(recovery.paused).mockResolvedValue(recovery.over);
    const user = begun(recovery.paused, { recoveryGoOn });
    await user.click(await screen.findByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("heading", { name: "This one is over." })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Begin again" }));
    expect(await screen.findByRole("heading", { name: "Let’s get you back in." })).toBeTruthy();
  });
});

describe("once in", () => {
  test("the new code is on paper first; then a passkey is offered, and the lost machine is cut off", async () => {
    const recoverySeen = vi.fn(async () => undefined);
    const user = begun(recovery.recovered, { recoverySeen });
    const code = await screen.findByText(recovery.newCode);
    expect(code.textContent).toContain("Your new code");
    expect(screen.queryByRole("button", { name: "Make a passkey" })).toBeNull();
    await expectAccessible();
    expect(recoverySeen).not.toHaveBeenCalled();
    await user.click(screen.getByRole("button", { name: "It is on paper" }));
    expect(recoverySeen).toHaveBeenCalledOnce();
    expect(await screen.findByRole("heading", { name: "You’re in, bert." })).toBeTruthy();
    expect(screen.queryByText(recovery.newCode)).toBeNull();
    expect(screen.getByRole("heading", { name: "bert-laptop is cut off" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Make a passkey" })).toBeTruthy();
    await expectAccessible();
  });

  test("a window that was closed before the code was written down shows it again", async () => {
    show({ recoveryHere: async () => recovery.recovered });
    expect(await screen.findByText(recovery.newCode)).toBeTruthy();
    expect(within(document.body).queryByRole("button", { name: "Home" })).toBeNull();
  });

  test("without a code there is nothing to write down, and a lost machine is asked for", async () => {
    const recoverySeen = vi.fn(async () => undefined);
    begun(recovery.recoveredWithoutCode, { recoverySeen });
    expect(await screen.findByRole("heading", { name: "You’re in, bert." })).toBeTruthy();
    expect(recoverySeen).toHaveBeenCalledOnce();
    expect(screen.getByRole("button", { name: "Cut off a lost machine" })).toBeTruthy();
  });
});
