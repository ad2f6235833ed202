/** What agents ask for, for tests and the gallery. */
import type { ApprovalInfo } from "@wire/ApprovalInfo";
import { at } from "./recorded";

export const asking: ApprovalInfo = {
  id: "000000000000000000000000AG",
  agent: "aauth:deploy-helper@agents.harbour.example",
  scope: ["deploy:read", "deploy:production"],
  audience: ["https://deploy.harbour.example"],
  missing: ["deploy:production"],
  reason: "The fix for the login page is tested and waits",
  state: "open",
  raised_at: at(-60),
  expires_at: at(540),
};
export const approvals: ApprovalInfo[] = [
  asking,
  { ...asking, id: "000000000000000000000000AH", agent: "aauth:mail-sorter@agents.harbour.example", scope: ["mail:delete"], missing: ["mail:delete"], reason: null },
  { ...asking, id: "000000000000000000000000AJ", state: "refused", scope: ["deploy:delete"], raised_at: at(-4000), expires_at: at(-3400) },
  { ...asking, id: "000000000000000000000000AK", state: "granted", scope: ["deploy:staging"], raised_at: at(-900), expires_at: at(2700) },
];
