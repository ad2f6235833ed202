import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { actWords } from "../src/messages/acts";
import { en } from "../src/messages/all";
import { app } from "../src/messages/en";
import { clockTime, fill, remaining, spanWords } from "../src/messages/format";

const SRC = join(__dirname, "../src");
const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && !name.startsWith("messages/en"))
  .map((name) => readFileSync(join(SRC, name), "utf8"));

/** The values of a wire enum, read from its generated type. */
function valuesOf(type: string): string[] {
  const text = readFileSync(join(__dirname, `../../bindings/typescript/${type}.ts`), "utf8");
  const [, union = ""] = /export type \w+ = (.*);/.exec(text) ?? [];
  return [...union.matchAll(/"([a-z-]+)"/g)].map((match) => match[1] ?? "");
}

describe("messages", () => {
  test("every id is used somewhere, and no screen carries words of its own", () => {
    const everything = sources.join("\n");
    const families = [...everything.matchAll(/`([a-z-]+(?:\.[a-z-]+)*\.)\$\{[^}]*\}([a-z.-]*)`/g)];
    const used = (id: string) =>
      everything.includes(`"${id}"`) || families.some(([, head = "", tail = ""]) => id.startsWith(head) && id.endsWith(tail));
    expect(Object.keys(en).filter((id) => !used(id))).toEqual([]);
    const screens = sources.filter((source) => source.includes("react-aria-components") || source.includes("</"));
    const loose = screens.flatMap((source) => [...source.matchAll(/>\s*([A-Z][a-z]+ [a-z]+[^<{}=;]*)</g)].map((match) => match[1]));
    expect(loose).toEqual([]);
  });

  test.each([
    ["Remedy", "failure."],
    ["FlowStepId", "step."],
    ["FlowStepState", "step.state."],
    ["DeviceStateName", "devices.state."],
  ])("each value of %s has its words", (type, prefix) => {
    const values = valuesOf(type);
    expect(values.length).toBeGreaterThan(2);
    for (const value of values) expect(app).toHaveProperty([`${prefix}${value}`]);
  });

  test("person-facing words are plain", () => {
    for (const [id, words] of Object.entries(en)) expect(`${id}: ${words}`).not.toMatch(/authenticator|credential|binding/i);
  });

  test("a message without its value is an error, not a gap", () => {
    expect(fill("until {time}", { time: "14:32" })).toBe("until 14:32");
    expect(() => fill("until {time}", {})).toThrow("time");
  });
});

describe("times and spans", () => {
  const now = new Date(2026, 10, 21, 14, 22, 0);
  test("a clock time today, with the day otherwise", () => {
    expect(clockTime(new Date(2026, 10, 21, 14, 32).toISOString(), now)).toBe("14:32");
    expect(clockTime(new Date(2026, 10, 22, 9, 5).toISOString(), now)).toBe("Sun 22 Nov, 09:05");
  });
  test("what is left, never below zero", () => {
    expect(remaining(new Date(2026, 10, 21, 14, 31, 5).toISOString(), now)).toBe("9:05");
    expect(remaining(new Date(2026, 10, 21, 14, 0, 0).toISOString(), now)).toBe("0:00");
    expect(remaining(new Date(2026, 10, 21, 17, 30).toISOString(), now)).toBe("3 hours");
    expect(remaining(new Date(2026, 10, 24, 14, 0).toISOString(), now)).toBe("2 days");
  });
  test.each([
    [600, "10 minutes"],
    [60, "1 minute"],
    [259_200, "72 hours"],
    [604_800, "7 days"],
    [90, "90 seconds"],
  ])("%i seconds are %s", (seconds, words) => expect(spanWords(seconds)).toBe(words));
});

describe("acts", () => {
  const words = (...of: Parameters<typeof actWords>) => actWords(...of).map((part) => ("words" in part ? part.words : part.value)).join("");
  const token = { act: "issue-token", user: "bert", role: "member", ttl_seconds: 600, auth_hash: "x" } as const;
  test("each act in the words that a person agrees to", () => {
    expect(words({ ...token, kind: "device", device: "bert-phone" }, "bert")).toBe(
      "Let the new device bert-phone sign in as bert. The code for it works once, for 10 minutes.",
    );
    expect(words({ ...token, kind: "invite", user: "aiko", device: null, role: "admin", ttl_seconds: 259_200 }, "bert")).toContain(
      "Invite aiko as an administrator, who can invite and remove others.",
    );
    expect(words({ act: "revoke-device", user: "bert", device: "bert-laptop" }, "bert")).toBe(
      "Cut off bert-laptop of bert for ever. It can never sign in again.",
    );
    expect(words({ act: "make-recovery-codes", codes_hash: "x" }, "bert")).toBe(
      "Make ten new recovery codes for bert. Codes that were made before stop working at once.",
    );
    expect(words({ act: "approve-recovery", recovery: "r", user: "bert", thumbprint: "x", reason: "He called" }, "aiko")).toBe(
      "Let a new device sign in as bert, who has lost theirs. Your reason: “He called”",
    );
    expect(words({ act: "approve-link", link: "r", user: "bert", device: "bert-new", thumbprint: "x" }, "bert")).toBe(
      "Let the new device bert-new sign in as bert, after you have compared the digits that both devices show.",
    );
    expect(words({ act: "set-waiting", allowed: true }, "bert")).toBe(
      "Let a recovery code, and some days in which you do not say no, sign a new device in as bert. One proof less than otherwise.",
    );
    expect(words({ act: "set-waiting", allowed: false }, "bert")).toContain("No longer let waiting");
    expect(words({ act: "name-guardian", guardian: "aiko" }, "bert")).toBe(
      "Choose aiko as a guardian: together with others, they can let a new device sign in as bert.",
    );
    expect(words({ act: "remove-guardian", guardian: "aiko" }, "bert")).toBe("No longer have aiko as a guardian of bert.");
    expect(words({ act: "vouch-for-recovery", recovery: "r", user: "bert", thumbprint: "x" }, "aiko")).toContain("Vouch for bert");
    expect(words({ act: "set-recovery-plan", ways: "1 device; or 2 admin" }, "bert")).toBe(
      "From now on this lets bert back in on a new device: 1 device; or 2 admin.",
    );
    expect(words({ act: "drill-passkey" }, "bert")).toContain("Nothing changes");
    const key = { act: "provision-credential", device: "build-7", ttl_seconds: 604_800, words: 6 } as const;
    expect(words({ ...key, role: "releaser" }, "bert")).toBe(
      "Make a key for the new machine build-7, at the role releaser. Whoever has its file and its words is that machine. It can be used for 7 days.",
    );
    expect(words({ ...key, role: null }, "bert")).toContain("one more key for the machine build-7");
    expect(words({ act: "approve-provision", device: "build-7", role: "releaser", asker: "aiko" }, "bert")).toBe(
      "Agree that aiko makes a key for the machine build-7, at the role releaser.",
    );
    expect(words({ act: "revoke-machine", device: "build-7" }, "bert")).toContain("Cut off the machine build-7 for ever");
    expect(words({ act: "set-role", user: "bert", role: "operator" }, "aiko")).toBe(
      "Make bert an operator, who sets up machines.",
    );
    expect(words({ act: "set-policy", policy_hash: "x7Q" }, "aiko")).toContain("fingerprint: x7Q");
    expect(words({ act: "add-passkey", attachment: "roaming", label: "Blue" }, "bert")).toContain("“Blue” for bert");
    expect(words({ act: "remove-passkey", passkey: "pk_1" }, "bert")).toContain("pk_1");
    expect(words({ act: "bind-passkey", passkey: "pk_1" }, "bert", "Blue key")).toBe(
      "The passkey “Blue key” of bert belongs to the machine that asks, from now on.",
    );
    expect(words({ act: "remove-passkey", passkey: "pk_1" }, "bert", "Blue key")).toBe(
      "Remove the passkey “Blue key” of bert (pk_1). It can never be used here again.",
    );
  });
});
