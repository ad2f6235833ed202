import axe from "axe-core";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { askView, doneView, wrongView } from "../src/freeze/views";
import { freezeAccount, NoAnswer, readSecret, Refused } from "../src/freeze/wire";

const SECRET = "vK3n2yQm8Zt0vK3n2yQm8Zt0vK3n2yQm8Zt0vK3n2yQ";

const page = (nodes: HTMLElement[]) => {
  const main = document.createElement("main");
  main.append(...nodes);
  document.body.replaceChildren(main);
  return main;
};

describe("the fragment", () => {
  test("is read when it is a secret", () => expect(readSecret(`#${SECRET}`)).toBe(SECRET));
  test.each(["", "#", SECRET, "#short", `#${SECRET}x`, `#${SECRET.slice(1)}/`])("%j is none", (fragment) =>
    expect(readSecret(fragment)).toBeNull(),
  );
});

describe("the page", () => {
  test("acts only when its button is pressed", () => {
    const act = vi.fn();
    const shown = page(askView(act));
    expect(act).not.toHaveBeenCalled();
    shown.querySelector<HTMLButtonElement>("#freeze")?.click();
    expect(act).toHaveBeenCalledOnce();
  });

  test.each([
    ["asking", () => askView(() => {})],
    ["done", () => doneView()],
    ["wrong", () => wrongView({ what: "a", why: "b", next: "c", code: "d", again: true }, () => {})],
  ])("is accessible while %s", async (_, view) => {
    const { violations } = await axe.run(page(view()), { rules: { "color-contrast": { enabled: false } } });
    expect(violations).toEqual([]);
  });
});

describe("the request", () => {
  const answer = vi.fn();
  beforeEach(() => {
    answer.mockReset();
    vi.stubGlobal("fetch", answer);
  });

  test("is a POST that carries the secret in its body alone", async () => {
    answer.mockResolvedValue(new Response("{}", { status: 200 }));
    await freezeAccount(SECRET);
    const [address, request] = answer.mock.calls[0] as [string, RequestInit];
    expect(address).toBe("/notices/freeze");
    expect(request.method).toBe("POST");
    expect(request.body).toBe(JSON.stringify({ secret: SECRET }));
  });

  test("tells a refusal from no answer", async () => {
    answer.mockResolvedValue(new Response(JSON.stringify({ title: "over" }), { status: 404 }));
    await expect(freezeAccount(SECRET)).rejects.toBeInstanceOf(Refused);
    answer.mockResolvedValue(new Response("<html>", { status: 502 }));
    await expect(freezeAccount(SECRET)).rejects.toBeInstanceOf(NoAnswer);
    answer.mockRejectedValue(new TypeError("offline"));
    await expect(freezeAccount(SECRET)).rejects.toBeInstanceOf(NoAnswer);
  });
});
