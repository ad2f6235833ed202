/** View data around recovery, recorded, for tests and for the gallery. */
import type { AddressInfo } from "@wire/AddressInfo";
import type { CodesSheet } from "@wire/CodesSheet";
import type { FlowFailure } from "@wire/FlowFailure";
import type { FlowView } from "@wire/FlowView";
import type { NoticeInfo } from "@wire/NoticeInfo";
import type { RecoveryCodeInfo } from "@wire/RecoveryCodeInfo";
import type { RecoveryHere } from "@wire/RecoveryHere";
import type { RecoveryInfo } from "@wire/RecoveryInfo";
import type { RecoveryPreview } from "@wire/RecoveryPreview";
import type { RecoveryStatus } from "@wire/RecoveryStatus";
import { about, at, newToken, offline, server, step } from "./recorded";

export const serverLine = `${server}#0K3M-9QXA-7TZC-1D5E-2F6G-8HJN-4PRS-VW0Y-3B7D-5K9M-6QXA-2TZC-8D5E`;
export const code = "7K2M-9QXA-4TZC-1D5E-2F6G-8HJN-4";
export const newCode = "0Q1M-3XAT-ZC1D-5E2F-6G8H-JN4P-R";

export const sheetRead: RecoveryPreview = { server, pinned: true, user: "bert", code: true };
export const helpRead: RecoveryPreview = { ...sheetRead, code: false };

const steps: FlowView["steps"] = [
  step("confirm", "done", -40, -2),
  step("make-key", "done", -2, -1.9),
  step("introduce", "done", -1.9, -1.6),
  step("prove", "now", -1.6, null),
  step("ask-server", "pending", null, null),
  step("keep", "pending", null, null),
];
export const asking: FlowView = {
  flow: "recover",
  about: { ...about, token_kind: null },
  steps: steps.map((it) => (it.id === "introduce" ? step("introduce", "now", -0.4, null) : it.id === "prove" ? step("prove", "pending", null, null) : it)),
  next: { do: "wait" },
  other_way: null,
  failure: null,
  expires_at: null,
};
export const askingLong: FlowView = { ...asking, other_way: "check-connection" };

const status: RecoveryStatus = {
  recovery_id: "0000000000000000000000000A",
  tenant: "home",
  state: "unproved",
  proofs: ["recovery-code"],
  held_until: null,
  may_wait_days: null,
      by_mail: false,
      device_taken: false,
  account_frozen: false,
  account_stopped: false,
  wait_passed_seconds: null,
  wait_left_seconds: null,
  expires_at: at(86_000),
  server_time: at(0),
};
export const waiting: RecoveryHere = {
  flow: { ...asking, steps, next: { do: "await-others", held_until: null }, expires_at: at(86_000) },
  stage: "waiting",
  lost: "bert-laptop",
  check_code: "4K7M-9QXA",
  status,
  new_code: null,
  passkey_until: null,
};
export const waitingWithoutCode: RecoveryHere = { ...waiting, status: { ...status, proofs: [] } };
export const waitingOffline: RecoveryHere = { ...waiting, flow: { ...waiting.flow, failure: offline } };
const until = at(2467);
export const held: RecoveryHere = {
  ...waiting,
  flow: { ...waiting.flow, next: { do: "await-others", held_until: until } },
  status: { ...status, state: "held", proofs: ["recovery-code", "admin"], held_until: until },
};

const failure = (code: FlowFailure["code"], remedy: FlowFailure["remedy"], title: string, detail: string): FlowFailure => ({
  code,
  remedy,
  title,
  detail,
  retry_after_seconds: null,
  request_id: "01JD8M9K1P",
});
const stopped = (stage: RecoveryHere["stage"], why: FlowFailure): RecoveryHere => ({
  ...waiting,
  stage,
  flow: {
    ...waiting.flow,
    steps: steps.map((it) => (it.id === "prove" ? step("prove", "failed", -1.6, -1.2) : it)),
    next: { do: stage === "over" ? "start-over" : "try-again" },
    failure: why,
  },
});
export const otherCode = stopped(
  "other-code",
  failure("recovery-code-used", "check-input", "This code was used already", "It let bert-desktop in on 21 Nov. Take one that is not ticked off."),
);
export const otherDevice = stopped(
  "other-device",
  failure("device-name-taken", "check-input", "There is a device of that name", "A name is used once. Take another one."),
);
export const otherLost = stopped(
  "other-lost",
  failure("invalid-field", "check-input", "A field is not right", "There is no such device. Check its name, or leave it out."),
);
export const paused = stopped("paused", offline);
export const over = stopped(
  "over",
  failure("recovery-stopped", "ask-operator", "This recovery was stopped", "Somebody with your passkey, or an administrator, said no."),
);
export const mistyped = failure(
  "recovery-code-mistyped",
  "check-input",
  "This code has a slip in it",
  "One of its characters is not the one on the sheet. Look again: there is no letter O, I, L or U in it. Nothing was sent.",
);

export const checkWrong = failure(
  "check-code-wrong",
  "check-input",
  "These are not the characters of that machine",
  "The machine that asks shows other characters. Somebody else may be asking in that name: call the person on a number that you know, and have the characters read out again. Nothing was approved.",
);

export const shownByNone = failure(
  "not-found",
  "check-input",
  "Not found",
  "No machine that is on its way back in shows these characters. Have them read out again, letter by letter, and ask whether it still waits there: what was begun anew shows others. Nothing was approved.",
);

export const recovered: RecoveryHere = {
  ...waiting,
  stage: "in",
  flow: { ...waiting.flow, steps: steps.map((it) => ({ ...it, state: "done" as const })), next: { do: "finished" } },
  new_code: newCode,
  passkey_until: at(560),
};
export const recoveredWithoutCode: RecoveryHere = { ...recovered, lost: null, new_code: null };

export const sheet: CodesSheet = {
  user: "bert",
  server: serverLine,
  qr: newToken.qr,
  made_at: at(0),
  codes: Array.from({ length: 10 }, (_, n) => `${n}${code.slice(1)}`),
  title: "Recovery codes of bert",
  keep: "Keep this paper where you keep your passport, and delete the file. Whoever has a code and one more proof can become you.",
  when: "When every device is gone",
  steps: [
    "Take any computer that you trust and install Landfall on it.",
    "Open it and choose “My recovery sheet”. Without a window, type: `landfall recover`",
    "Give it the server line, all of it, your user name and one code. Tick the code off: it works once.",
    "Call an administrator, on a number that you know, and read out the eight characters that the screen shows.",
    "You may close it while you wait. Opened again, it goes on.",
    "Write the new code that you are given beside the one that you used.",
  ],
  lost: "Is this paper lost or was it read by somebody? Make new codes: these then stop working at once.",
};
const live: RecoveryCodeInfo = { name: "0K3M9QXA7TZC1D5E", state: "live", made_at: at(-9_000_000), ended_at: null, used_by: null };
export const codes: RecoveryCodeInfo[] = [
  ...Array.from({ length: 9 }, (_, n) => ({ ...live, name: `${n}${live.name.slice(1)}` })),
  { ...live, name: "ZK3M9QXA7TZC1D5E", state: "used", ended_at: at(-700_000), used_by: "bert-desktop" },
  { ...live, name: "YK3M9QXA7TZC1D5E", state: "replaced", ended_at: at(-9_000_000) },
];
export const fewCodes = codes.slice(7);

export const address: AddressInfo = { id: "ad_01", address: "bert@harbour.example", added_at: at(-9_000_000), confirmed_at: at(-8_999_000) };
export const unconfirmed: AddressInfo = { id: "ad_02", address: "bert.okafor@lighthouse.example", added_at: at(-60), confirmed_at: null };

export const notices: NoticeInfo[] = [
  {
    id: "no_03",
    kind: "device-enrolled",
    at: at(-400),
    title: "New device",
    text: "The device bert-phone signed in to your account for the first time, with a code that bert-laptop made.",
    source: "81.92.0.7",
  },
  {
    id: "no_02",
    kind: "passkey-added",
    at: at(-90_000),
    title: "New passkey",
    text: "The passkey “Blue security key” was added on bert-laptop.",
    source: "2001:db8:7::/64",
  },
  { id: "no_01", kind: "device-suspended", at: at(-900_000), title: "Device cut off", text: "ana cut bert-cabin off.", source: null },
];

export const asked: RecoveryInfo = {
  id: "0000000000000000000000000B",
  user: "bert",
  role: "member",
  device: "bert-desktop",
  thumbprint: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
  source: "81.92.0.0/24",
  state: "unproved",
  proofs: [{ door: "recovery-code", by: "0K3M9QXA7TZC1D5E", reason: null, counts: true, at: at(-200) }],
  held_until: null,
  account_frozen: false,
  begun_at: at(-240),
  expires_at: at(86_000),
};
export const askedHeld: RecoveryInfo = {
  ...asked,
  state: "held",
  held_until: at(3_300),
  proofs: [...asked.proofs, { door: "admin", by: "ana", reason: "He called, knew his badge number", counts: true, at: at(-30) }],
};
export const queue: RecoveryInfo[] = [
  asked,
  {
    ...asked,
    id: "0000000000000000000000000C",
    user: "aiko",
    role: "admin",
    device: "aiko-new",
    source: "2001:db8:7::/64",
    state: "held",
    held_until: at(2_000),
    proofs: [
      { door: "admin", by: "ana", reason: "Sat next to me", counts: true, at: at(-700) },
      { door: "recovery-code", by: "9K3M9QXA7TZC1D5E", reason: null, counts: false, at: at(-900) },
    ],
  },
  { ...asked, id: "0000000000000000000000000D", user: "ana", role: "admin", device: "not-anas", proofs: [] },
  { ...asked, id: "0000000000000000000000000E", user: "cleo", device: "cleo-mini", state: "stopped" },
];
