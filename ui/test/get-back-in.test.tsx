import { screen, waitFor } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import type { Api, OnView } from "../src/app/api";
import * as recorded from "../src/gallery/recorded";
import { expectAccessible, show } from "./show";

const fresh: Partial<Api> = { standing: async () => recorded.newcomer };

async function paste(user: ReturnType<typeof show>): Promise<void> {
  await user.click(await screen.findByRole("button", { name: /^A code/ }));
  await user.click(await screen.findByLabelText("Your code"));
  await user.paste(recorded.text);
  await user.click(screen.getByRole("button", { name: "Continue" }));
}

describe("get back in", () => {
  test("what the code is for is shown before anything is spent", async () => {
    const enroll = vi.fn<Api["enroll"]>(() => new Promise(() => {}));
    const user = show({ ...fresh, enroll });
    await paste(user);
    expect(await screen.findByRole("heading", { name: "Is this right?" })).toBeTruthy();
    for (const fact of ["https://id.harbour.example", "bert", "bert-desktop"]) expect(screen.getByText(fact)).toBeTruthy();
    expect(enroll).not.toHaveBeenCalled();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Yes, get me in" }));
    expect(enroll).toHaveBeenCalledWith(recorded.text, { user: null, device: null }, expect.any(Function));
  });

  test("an invitation asks for the name that it leaves open, and does not go on without", async () => {
    const enroll = vi.fn<Api["enroll"]>(() => new Promise(() => {}));
    const user = show({ ...fresh, readToken: async () => recorded.invitation, enroll });
    await paste(user);
    const go = await screen.findByRole("button", { name: "Yes, get me in" });
    expect(go).toHaveProperty("disabled", true);
    await user.type(screen.getByLabelText("What shall this machine be called?"), " aiko-laptop ");
    await user.click(go);
    expect(enroll).toHaveBeenCalledWith(recorded.text, { user: null, device: "aiko-laptop" }, expect.any(Function));
  });

  test("a code that cannot be read is refused with what, why, what next and the code", async () => {
    const user = show({ ...fresh, readToken: () => Promise.reject(recorded.usedCode) });
    await paste(user);
    const alert = await screen.findByRole("alert");
    for (const words of ["This code was used already", "bert-desktop", "Get a new code", "token-used"]) {
      expect(alert.textContent).toContain(words);
    }
    await expectAccessible();
  });

  test("steps are named, with their times, and another way is offered when it takes long", async () => {
    let tell: OnView = () => {};
    const user = show({ ...fresh, enroll: (_text, _names, onView) => ((tell = onView), new Promise(() => {})) });
    await paste(user);
    await user.click(await screen.findByRole("button", { name: "Yes, get me in" }));
    await waitFor(() => tell(recorded.entering));
    expect((await screen.findAllByRole("listitem")).map((item) => item.textContent)).toEqual([
      expect.stringContaining("You said yes, done"),
      expect.stringMatching(/Key made on this machine, done0\.1 s/),
      expect.stringContaining("Certificate from the server, now"),
      expect.stringContaining("Kept on this machine, later"),
    ]);
    expect(screen.queryByText("Taking long?")).toBeNull();
    await waitFor(() => tell(recorded.enteringLong));
    expect(await screen.findByText("Taking long?")).toBeTruthy();
    await expectAccessible();
  });

  test("a failure that can be resumed offers to go on; one that is over offers another code", async () => {
    const enroll = vi
      .fn<Api["enroll"]>()
      .mockImplementationOnce((_t, _n, onView) => (onView(recorded.enteringOffline), Promise.reject(recorded.offline)))
      .mockImplementationOnce((_t, _n, onView) => (onView(recorded.enteringFailed), Promise.reject(recorded.usedCode)));
    const user = show({ ...fresh, enroll });
    await paste(user);
    await user.click(await screen.findByRole("button", { name: "Yes, get me in" }));
    expect((await screen.findByRole("alert")).textContent).toContain("server-unreachable");
    await user.click(await screen.findByRole("button", { name: "Try again" }));
    expect(enroll).toHaveBeenCalledTimes(2);
    expect(enroll.mock.calls[1]?.slice(0, 2)).toEqual(enroll.mock.calls[0]?.slice(0, 2));
    expect((await screen.findByRole("alert")).textContent).toContain("token-used");
    expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
    await user.click(await screen.findByRole("button", { name: "Use another code" }));
    expect(await screen.findByLabelText("Your code")).toHaveProperty("value", "");
  });

  test("a wait can be stopped", async () => {
    const flowCancel = vi.fn(async () => undefined);
    const user = show({ ...fresh, flowCancel, enroll: (_t, _n, onView) => (onView(recorded.enteringLong), new Promise(() => {})) });
    await paste(user);
    await user.click(await screen.findByRole("button", { name: "Yes, get me in" }));
    await user.click(await screen.findByRole("button", { name: "Stop" }));
    expect(flowCancel).toHaveBeenCalledOnce();
  });

  test("once in, the first thing asked is whether a machine is lost", async () => {
    let standing = recorded.newcomer;
    const user = show({
      standing: async () => standing,
      enroll: async (_text, _names, onView) => {
        onView(recorded.entered);
        return (standing = recorded.enrolled);
      },
    });
    await paste(user);
    await user.click(await screen.findByRole("button", { name: "Yes, get me in" }));
    expect(await screen.findByRole("heading", { name: "You’re in, bert." })).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Cut off a lost machine" }));
    expect(await screen.findByRole("heading", { name: "Your devices" })).toBeTruthy();
  });

  test("somebody who is new is led to a first passkey, not to a lost machine", async () => {
    const about = { ...recorded.entered.about, token_kind: "invite" as const };
    const user = show({
      ...fresh,
      enroll: async (_text, _names, onView) => {
        onView({ ...recorded.entered, about });
        return recorded.enrolled;
      },
    });
    await paste(user);
    await user.click(await screen.findByRole("button", { name: "Yes, get me in" }));
    expect(await screen.findByRole("button", { name: "Make a passkey" })).toBeTruthy();
    expect(screen.queryByText("Did you lose a machine?")).toBeNull();
    await expectAccessible();
  });
});
