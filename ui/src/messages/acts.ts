import type { BoundActBody } from "@wire/BoundActBody";
import { acts } from "./en";
import { type Part, parts, spanWords } from "./format";

/**
 * The exact act, in the words that a person confirms. `user` is who confirms it, `passkeyLabel` what the passkey that
 * it removes or binds is called, where that is known.
 */
export function actWords(act: BoundActBody, user: string, passkeyLabel: string | null = null): Part[] {
  switch (act.act) {
    case "issue-token": {
      const values = { user: act.user, span: spanWords(act.ttl_seconds) };
      if (act.kind === "invite") return parts(acts[`act.issue-token.${act.role}`], values);
      if (act.device === null) return parts(acts["act.issue-token.any-device"], values);
      return parts(acts["act.issue-token.device"], { ...values, device: act.device });
    }
    case "add-passkey":
      return parts(acts[`act.add-passkey.${act.attachment}`], { user, label: act.label });
    case "remove-passkey":
      if (passkeyLabel === null) return parts(acts["act.remove-passkey"], { passkey: act.passkey });
      return parts(acts["act.remove-passkey.labelled"], { label: passkeyLabel, user, passkey: act.passkey });
    case "bind-passkey":
      return parts(acts["act.bind-passkey"], { label: passkeyLabel ?? act.passkey, user });
    case "revoke-device":
      return parts(acts["act.revoke-device"], { user: act.user, device: act.device });
    case "make-recovery-codes":
      return parts(acts["act.make-recovery-codes"], { user });
    case "approve-link":
      return parts(acts["act.approve-link"], { user: act.user, device: act.device });
    case "approve-recovery":
      return parts(acts["act.approve-recovery"], { user: act.user, reason: act.reason });
    case "set-waiting":
      return parts(acts[act.allowed ? "act.set-waiting.on" : "act.set-waiting.off"], { user });
    case "name-guardian":
      return parts(acts["act.name-guardian"], { user, guardian: act.guardian });
    case "remove-guardian":
      return parts(acts["act.remove-guardian"], { user, guardian: act.guardian });
    case "vouch-for-recovery":
      return parts(acts["act.vouch-for-recovery"], { user: act.user });
    case "set-recovery-plan":
      return parts(acts["act.set-recovery-plan"], { user, ways: act.ways });
    case "issue-agent-code":
      if (act.agent === "") return parts(acts["act.issue-agent-code.any"], { user });
      return parts(acts["act.issue-agent-code"], { user, agent: act.agent });
    case "pair-agent":
      return parts(acts["act.pair-agent"], { user: act.user, agent: act.agent });
    case "grant-scope":
      return parts(acts["act.grant-scope"], { agent: act.agent, scope: act.scope, audience: act.audience });
    case "drill-passkey":
      return parts(acts["act.drill-passkey"], { user });
    case "set-policy":
      return parts(acts["act.set-policy"], { hash: act.policy_hash });
    case "set-role":
      return parts(acts[`act.set-role.${act.role}`], { user: act.user });
    case "freeze-user":
      return parts(acts["act.freeze-user"], { user: act.user });
    case "unfreeze-user":
      return parts(acts["act.unfreeze-user"], { user: act.user });
    case "provision-credential": {
      const values = { device: act.device, span: spanWords(act.ttl_seconds) };
      if (act.role === null) return parts(acts["act.machine-key.more"], values);
      return parts(acts["act.machine-key.new"], { ...values, role: act.role });
    }
    case "approve-provision":
      return parts(acts["act.approve-provision"], { asker: act.asker, device: act.device, role: act.role });
    case "revoke-machine":
      return parts(acts["act.revoke-machine"], { device: act.device });
  }
}
