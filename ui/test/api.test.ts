import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { afterEach, expect, test } from "vitest";
import { tauri } from "../src/app/api";

afterEach(clearMocks);

test("a call that answers nothing is not taken for one that failed", async () => {
  // What Rust’s unit is on the other side of the bridge.
  mockIPC(() => null);
  const calls = [tauri.cancelToken("x"), tauri.recoverySeen(), tauri.recoveryDrop(), tauri.print(), tauri.flowCancel()];
  for (const call of calls) expect(await call).toBeUndefined();
});
