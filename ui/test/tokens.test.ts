import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const css = readFileSync(join(__dirname, "../src/style/tokens.css"), "utf8");

function colours(selector: string): Record<string, string> {
  const block = css.slice(css.indexOf(`${selector} {`)).split("}")[0] ?? "";
  return Object.fromEntries([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name = "", value = ""]) => [name, value]));
}

/** Relative luminance (WCAG 2.2, "relative luminance"). */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const TEXT = [
  ["ink", "paper"], ["ink", "card"], ["ink", "wash"], ["ink", "beacon-wash"], ["ink", "flare-wash"],
  ["soft", "paper"], ["soft", "card"], ["soft", "wash"],
  ["sea", "paper"], ["sea", "card"], ["sea-ink", "sea"], ["flare-ink", "flare"], ["kelp-ink", "kelp"],
  ["beacon", "beacon-wash"], ["beacon", "card"], ["flare", "flare-wash"], ["kelp", "kelp-wash"],
] as const;
const CONTROLS = [["edge", "paper"], ["edge", "card"], ["sea", "paper"], ["sea", "card"], ["sea", "wash"]] as const;

describe.each([["light", ":root"], ["dark", ':root[data-theme="dark"]']])("%s theme", (_theme, selector) => {
  const of = colours(selector);
  test.each(TEXT)("%s on %s reads well (4.5:1)", (text, ground) => {
    expect(contrast(of[text] ?? "", of[ground] ?? "")).toBeGreaterThanOrEqual(4.5);
  });
  test.each(CONTROLS)("%s on %s is seen (3:1)", (edge, ground) => {
    expect(contrast(of[edge] ?? "", of[ground] ?? "")).toBeGreaterThanOrEqual(3);
  });
});

test("the theme that the system asks for is the one that can be forced", () => {
  expect(colours(":root:not([data-theme=\"light\"])")).toEqual(colours(':root[data-theme="dark"]'));
});
