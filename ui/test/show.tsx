import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect } from "vitest";
import type { Api } from "../src/app/api";
import { App } from "../src/app/App";
import { ApiContext } from "../src/app/hooks";
import { behind } from "../src/gallery/behind";

/** Shows the whole app over recorded view data, with some answers changed. */
export function show(changes: Partial<Api> = {}) {
  const user = userEvent.setup();
  render(
    <ApiContext value={behind(changes)}>
      <App />
    </ApiContext>,
  );
  return user;
}

/** Nothing that axe can find without a layout; contrast and sizes are measured in a browser (tests/ui). */
export async function expectAccessible(): Promise<void> {
  const { violations } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`)).toEqual([]);
}
