import { screen, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import type { Api } from "../src/app/api";
import * as agents from "../src/gallery/recorded-agents";
import * as recorded from "../src/gallery/recorded";
import { expectAccessible, show } from "./show";

async function asked(changes: Partial<Api> = {}) {
  const user = show({ approvals: async () => agents.approvals, ...changes });
  await user.click(await screen.findByRole("button", { name: /^Agents/ }));
  const heading = await screen.findByRole("heading", { name: agents.asking.agent });
  return { user, card: within(heading.closest("section") as HTMLElement) };
}

const ALLOW = { name: /^Allow with my passkey/ };

describe("agents that ask", () => {
  test("the places say how many wait", async () => {
    show({ approvals: async () => agents.approvals });
    expect(await screen.findByRole("button", { name: /^Agents\s*2 to look at$/ })).toBeTruthy();
  });

  test("what is new stands beside what it may already, with its own words quoted, and the act before the button", async () => {
    const { card } = await asked();
    expect(card.getByText("deploy:production: only with your yes")).toBeTruthy();
    expect(card.getByText("deploy:read: may already")).toBeTruthy();
    expect(card.getByText("“The fix for the login page is tested and waits”")).toBeTruthy();
    const act = document.querySelector(".act") as HTMLElement;
    expect(act.textContent).toBe(
      "For an hour the agent aauth:deploy-helper@agents.harbour.example may do this at https://deploy.harbour.example: deploy:read deploy:production.",
    );
    expect(act.compareDocumentPosition(card.getByRole("button", ALLOW)) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    await expectAccessible();
  });

  test("exactly what was shown is allowed", async () => {
    const grantApproval = vi.fn<Api["grantApproval"]>(async (shown) => ({ ...shown, state: "granted" }));
    const { user, card } = await asked({ grantApproval });
    await user.click(card.getByRole("button", ALLOW));
    expect(grantApproval).toHaveBeenCalledWith(agents.asking, expect.any(Function));
    expect((await screen.findAllByText(/deploy-helper@agents\.harbour\.example may do that until /)).length).toBeGreaterThan(0);
    expect(screen.queryByRole("heading", { name: agents.asking.agent })).toBeNull();
  });

  test("a no needs no touch", async () => {
    const refuseApproval = vi.fn<Api["refuseApproval"]>(async () => ({ ...agents.asking, state: "refused" }));
    const { user, card } = await asked({ refuseApproval });
    await user.click(card.getByRole("button", { name: /^Refuse/ }));
    expect(refuseApproval).toHaveBeenCalledWith(agents.asking.id);
    expect(screen.queryByRole("heading", { name: agents.asking.agent })).toBeNull();
  });

  test("a failure is said where the question stands, which stays", async () => {
    const { user, card } = await asked({ grantApproval: () => Promise.reject(recorded.offline) });
    await user.click(card.getByRole("button", ALLOW));
    expect(await card.findByRole("alert")).toBeTruthy();
    expect(card.getByRole("button", ALLOW)).toHaveProperty("disabled", false);
  });

  test("nobody asks", async () => {
    const user = show();
    await user.click(await screen.findByRole("button", { name: "Agents" }));
    expect(await screen.findByText("No agent is asking.")).toBeTruthy();
    await expectAccessible();
  });
});
