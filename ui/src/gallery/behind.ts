import type { RecoveryHere } from "@wire/RecoveryHere";
import type { Api } from "../app/api";
import * as agents from "./recorded-agents";
import * as recorded from "./recorded";
import * as recovery from "./recorded-recovery";

const never = new Promise<never>(() => {});

/** What stands behind the screens in tests and in the gallery: it answers with recorded view data. */
export function behind(changes: Partial<Api> = {}): Api {
  return {
    standing: async () => recorded.enrolled,
    readToken: async () => recorded.preview,
    enroll: async (_text, _names, onView) => {
      onView(recorded.entered);
      return recorded.enrolled;
    },
    readSheet: async (typed) => (typed.code === null ? recovery.helpRead : recovery.sheetRead),
    recover: async (_typed, onView) => {
      onView(recovery.asking);
      return recovery.waiting;
    },
    recoveryHere: async () => null,
    recoveryGoOn: async () => recovery.waiting,
    recoverySeen: async () => undefined,
    recoveryDrop: async () => undefined,
    me: async () => recorded.me,
    devices: async () => [recorded.desktop, recorded.laptop, recorded.lentMachine, recorded.oldPhone],
    addDevice: async () => recorded.newToken,
    token: async () => recorded.tokenInfo,
    cancelToken: async () => undefined,
    suspendDevice: async () => recorded.cut,
    revokeDevice: async () => recorded.gone,
    freeze: async () => ({ frozen: true, sessions_ended: 3, recoveries_stopped: 0 }),
    unfreeze: async () => ({ frozen: false, sessions_ended: 0, recoveries_stopped: 0 }),
    addPasskey: async () => recorded.passkey,
    codes: async () => recovery.codes,
    makeCodes: async () => recovery.sheet,
    saveSheet: async (_sheet, format) => ({ path: `/home/bert/Downloads/landfall-codes-bert-2026-11-21.${format}` }),
    print: async () => undefined,
    addresses: async () => [recovery.address],
    addAddress: async (address) => ({ ...recovery.unconfirmed, address }),
    confirmAddress: async () => recovery.address,
    removeAddress: async () => undefined,
    notices: async () => ({ items: recovery.notices, next: null }),
    recoveries: async () => [],
    stopRecovery: async () => ({ ...recovery.asked, state: "stopped" }),
    queue: async () => recovery.queue,
    findRecovery: async () => recovery.asked,
    approve: async () => recovery.askedHeld,
    refuse: async () => ({ ...recovery.asked, state: "stopped" }),
    approvals: async () => [],
    grantApproval: async (shown) => ({ ...shown, state: "granted" }),
    refuseApproval: async () => ({ ...agents.asking, state: "refused" }),
    secrets: async () => recorded.secrets,
    reveal: async (name) => ({ name, version: 3, text: "DE02 1203 0000 0000 2020 51\nPIN 0O1lI", size: 36 }),
    copySecret: async () => ({ clears_at: new Date(Date.now() + 60_000).toISOString() }),
    copyText: async () => ({ clears_at: new Date(Date.now() + 60_000).toISOString() }),
    flowOtherWay: async () => undefined,
    flowTyped: async () => undefined,
    flowPin: async () => undefined,
    flowCancel: async () => undefined,
    ...changes,
  };
}

/** Who is an administrator. */
const ana: Partial<Api> = {
  standing: async () => ({ ...recorded.enrolled, user: "ana", device: "ana-laptop" }),
  me: async () => ({ ...recorded.me, user: "ana", role: "admin" }),
};

/** A window that is opened while a recovery is under way on its machine. */
function resumed(here: RecoveryHere): Api {
  return behind({ ...fresh, recoveryHere: async () => here, recoveryGoOn: async () => here });
}

const fresh = { standing: async () => recorded.newcomer };

/** Moments of the app by name, for the gallery. */
export const stories: Readonly<Record<string, Api>> = {
  "get-back-in": behind(fresh),
  invitation: behind({ ...fresh, readToken: async () => recorded.invitation }),
  "bad-code": behind({
    ...fresh,
    readToken: () =>
      Promise.reject({
        code: "token-mistyped",
        remedy: "check-input",
        title: "This code is incomplete or mistyped",
        detail: "Its last eight characters do not fit the rest, so a part is missing or changed. Nothing was sent. Copy the whole code again, from lf1. to its end.",
        retry_after_seconds: null,
        request_id: null,
      }),
  }),
  entering: behind({ ...fresh, enroll: (_t, _n, onView) => (onView(recorded.entering), never) }),
  "entering-long": behind({ ...fresh, enroll: (_t, _n, onView) => (onView(recorded.enteringLong), never) }),
  "entering-failed": behind({
    ...fresh,
    enroll: (_t, _n, onView) => (onView(recorded.enteringFailed), Promise.reject(recorded.usedCode)),
  }),
  "entering-offline": behind({
    ...fresh,
    enroll: (_t, _n, onView) => (onView(recorded.enteringOffline), Promise.reject(recorded.offline)),
  }),
  enrolled: behind(),
  "no-passkey": behind({ me: async () => recorded.meWithoutPasskey }),
  "passkey-asked": behind({ revokeDevice: (_n, onView) => (onView(recorded.askingLong), never) }),
  "passkey-key-pin": behind({ revokeDevice: (_n, onView) => (onView(recorded.askingPin), never) }),
  "passkey-key-touch": behind({ revokeDevice: (_n, onView) => (onView(recorded.askingTouch), never) }),
  "passkey-typed": behind({ revokeDevice: (_n, onView) => (onView(recorded.askingTyped), never) }),
  "passkey-mistyped": behind({ revokeDevice: (_n, onView) => (onView(recorded.askingMistyped), never) }),
  "frozen-home": behind({ me: async () => ({ ...recorded.me, frozen: true }) }),
  "code-used": behind({ addDevice: async () => ({ ...recorded.newToken, info: recorded.usedToken }) }),
  probation: behind({ revokeDevice: () => Promise.reject(recorded.probation) }),
  offline: behind({ devices: () => Promise.reject(recorded.offline) }),
  "sheet-mistyped": behind({ ...fresh, readSheet: () => Promise.reject(recovery.mistyped) }),
  "recover-asking": behind({ ...fresh, recover: (_t, onView) => (onView(recovery.askingLong), never) }),
  "recover-waiting": resumed(recovery.waiting),
  "recover-no-code": resumed(recovery.waitingWithoutCode),
  "recover-offline": resumed(recovery.waitingOffline),
  "recover-held": resumed(recovery.held),
  "recover-other-code": resumed(recovery.otherCode),
  "recover-other-device": resumed(recovery.otherDevice),
  "recover-other-lost": resumed(recovery.otherLost),
  "recover-paused": resumed(recovery.paused),
  "recover-over": resumed(recovery.over),
  recovered: resumed(recovery.recovered),
  "recovered-by-word": resumed(recovery.recoveredWithoutCode),
  alarm: behind({ recoveries: async () => [recovery.asked] }),
  unready: behind({ codes: async () => [], addresses: async () => [] }),
  "few-codes": behind({ codes: async () => recovery.fewCodes, addresses: async () => [recovery.address, recovery.unconfirmed] }),
  admin: behind({ ...ana }),
  "approved-now": behind({ ...ana, approve: async () => ({ ...recovery.asked, state: "ready" }) }),
  "check-wrong": behind({ ...ana, approve: () => Promise.reject(recovery.checkWrong) }),
  "agents-ask": behind({ approvals: async () => agents.approvals }),
  "agents-passkey": behind({
    approvals: async () => agents.approvals,
    grantApproval: (_shown, onView) => (onView(recorded.askingLong), never),
  }),
  "empty-queue": behind({ ...ana, queue: async () => [] }),
};
