import type { Api } from "../app/api";
import * as recorded from "./recorded";

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
    me: async () => recorded.me,
    devices: async () => [recorded.desktop, recorded.laptop, recorded.lentMachine, recorded.oldPhone],
    addDevice: async () => recorded.newToken,
    token: async () => recorded.tokenInfo,
    cancelToken: async () => undefined,
    suspendDevice: async () => recorded.cut,
    revokeDevice: async () => recorded.gone,
    freeze: async () => ({ frozen: true, sessions_ended: 3 }),
    unfreeze: async () => ({ frozen: false, sessions_ended: 0 }),
    addPasskey: async () => recorded.passkey,
    secrets: async () => recorded.secrets,
    reveal: async (name) => ({ name, version: 3, text: "DE02 1203 0000 0000 2020 51\nPIN 0O1lI", size: 36 }),
    copySecret: async () => ({ clears_at: new Date(Date.now() + 60_000).toISOString() }),
    copyText: async () => ({ clears_at: new Date(Date.now() + 60_000).toISOString() }),
    flowOtherWay: async () => undefined,
    flowTyped: async () => undefined,
    flowCancel: async () => undefined,
    ...changes,
  };
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
  "passkey-typed": behind({ revokeDevice: (_n, onView) => (onView(recorded.askingTyped), never) }),
  "passkey-mistyped": behind({ revokeDevice: (_n, onView) => (onView(recorded.askingMistyped), never) }),
  "frozen-home": behind({ me: async () => ({ ...recorded.me, frozen: true }) }),
  "code-used": behind({ addDevice: async () => ({ ...recorded.newToken, info: recorded.usedToken }) }),
  probation: behind({ revokeDevice: () => Promise.reject(recorded.probation) }),
  offline: behind({ devices: () => Promise.reject(recorded.offline) }),
};
