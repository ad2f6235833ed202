/** View data as the app behind the screens gives it, recorded, for tests and for the gallery. */
import type { DeviceCut } from "@wire/DeviceCut";
import type { DeviceInfo } from "@wire/DeviceInfo";
import type { FlowFailure } from "@wire/FlowFailure";
import type { FlowStep } from "@wire/FlowStep";
import type { FlowView } from "@wire/FlowView";
import type { Me } from "@wire/Me";
import type { NewToken } from "@wire/NewToken";
import type { PasskeyInfo } from "@wire/PasskeyInfo";
import type { SecretInfo } from "@wire/SecretInfo";
import type { Standing } from "@wire/Standing";
import type { TokenInfo } from "@wire/TokenInfo";
import type { TokenPreview } from "@wire/TokenPreview";

export const at = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
export const server = "https://id.harbour.example";

export const text =
  "lf1.eyJpZCI6IjFmN2M5ZjQ2YzEiLCJraW5kIjoiZGV2aWNlIiwidXJsIjoiaHR0cHM6Ly9pZC5oYXJib3VyLmV4YW1wbGUiLCJ1c2VyIjoiYmVydCIsImRldmljZSI6ImJlcnQtZGVza3RvcCJ9.b2Y0NGFjZmUyYjE4YzJkZTM1NGRjMGIxYTE4ZTQxNmY.7K2M9QXA";

export const newcomer: Standing = { is: "new" };
export const enrolled: Standing = { is: "enrolled", server, tenant: "home", user: "bert", device: "bert-desktop" };

export const preview: TokenPreview = {
  kind: "device",
  server,
  tenant: "home",
  user: "bert",
  device: "bert-desktop",
  expires_at: at(560),
};
export const invitation: TokenPreview = { ...preview, kind: "invite", user: "aiko", device: null, expires_at: at(250_000) };

export const desktop: DeviceInfo = {
  name: "bert-desktop",
  user: "bert",
  label: null,
  spiffe_id: "spiffe://id.harbour.example/tenant/home/user/bert/device/bert-desktop",
  state: "active",
  this_device: true,
  thumbprint: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
  enrolled_at: at(-300),
  last_seen_at: at(-5),
  certificate_not_after: at(86_000),
  state_changed_at: null,
};
export const laptop: DeviceInfo = {
  ...desktop,
  name: "bert-laptop",
  label: "Bert’s blue laptop",
  this_device: false,
  enrolled_at: at(-9_000_000),
  last_seen_at: at(-7_300),
};
export const oldPhone: DeviceInfo = {
  ...laptop,
  name: "bert-tablet",
  label: null,
  state: "revoked",
  last_seen_at: at(-4_000_000),
  state_changed_at: at(-3_900_000),
};
export const lentMachine: DeviceInfo = {
  ...laptop,
  name: "bert-cabin",
  label: "In the cabin",
  state: "suspended",
  state_changed_at: at(-172_800),
};

export const me: Me = {
  spiffe_id: desktop.spiffe_id,
  tenant: "home",
  user: "bert",
  role: "member",
  device: desktop,
  frozen: false,
  auth_strength: "cert-only",
  session_expires_at: at(800),
  passkeys: 1,
  grant: null,
};
export const meWithoutPasskey: Me = {
  ...me,
  passkeys: 0,
  grant: { id: "gr_01", expires_at: at(540) } as NonNullable<Me["grant"]>,
};

export const passkey: PasskeyInfo = {
  id: "pk_01",
  label: "Blue security key",
  attachment: "roaming",
  registered_on: "bert-laptop",
  device_bound: false,
  backup_eligible: true,
  backed_up: true,
  resident: true,
  aaguid: null,
  transports: ["usb", "nfc"],
  usable: true,
  registered_at: at(-9_000_000),
  last_used_at: at(-100),
};

export const cut: DeviceCut = {
  device: { ...laptop, state: "suspended", state_changed_at: at(-1) },
  sessions_ended: 2,
  passkeys_disabled: 1,
  passkeys_synced: [passkey],
  account_stopped: false,
  agents: 1,
};
export const gone: DeviceCut = { ...cut, device: { ...laptop, state: "revoked", state_changed_at: at(0) }, sessions_ended: 0 };

export const secrets: SecretInfo[] = [
  { name: "bank/giro", version: 3, versions: 3, updated_at: at(-6_000_000), updated_by: "bert-laptop" },
  { name: "wifi-cabin", version: 1, versions: 1, updated_at: at(-86_400 * 9), updated_by: "bert-laptop" },
  { name: "work/vpn.ovpn", version: 2, versions: 2, updated_at: at(-4_000), updated_by: "bert-laptop" },
];

export const tokenInfo: TokenInfo = {
  id: "bt_1f7c9f46c1",
  kind: "device",
  tenant: "home",
  user: "bert",
  device: "bert-phone",
  state: "issued",
  issued_by: desktop.spiffe_id,
  issued_at: at(-20),
  expires_at: at(580),
  consumed_at: null,
  consumed_by: null,
  refused_tries: 0,
};
export const usedToken: TokenInfo = { ...tokenInfo, state: "consumed", consumed_at: at(-3), consumed_by: "bert-phone" };

const finder = ["#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######"];
const size = 45;
const cell = (x: number, y: number): string => {
  const corner = (cx: number, cy: number) => finder[y - cy]?.[x - cx];
  const near = (a: number) => (a < 8 ? 0 : a >= size - 8 ? size - 7 : -1);
  if (near(x) >= 0 && near(y) >= 0 && !(near(x) > 0 && near(y) > 0)) return corner(near(x), near(y)) ?? ".";
  return (x * 7919 + y * 104_729 + x * y * 31) % 5 < 2 ? "#" : ".";
};
export const newToken: NewToken = {
  text,
  qr: { rows: Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => cell(x, y)).join("")) },
  info: tokenInfo,
};

export const step = (id: FlowStep["id"], state: FlowStep["state"], from: number | null, to: number | null): FlowStep => ({
  id,
  state,
  started_at: from === null ? null : at(from),
  finished_at: to === null ? null : at(to),
});
export const about: FlowView["about"] = {
  server,
  tenant: "home",
  user: "bert",
  device: "bert-desktop",
  token_kind: "device",
  act: null,
  attachment: null,
};

export const entering: FlowView = {
  flow: "enroll",
  about,
  steps: [
    step("confirm", "done", -12, -0.4),
    step("make-key", "done", -0.4, -0.3),
    step("ask-server", "now", -0.3, null),
    step("keep", "pending", null, null),
  ],
  next: { do: "wait" },
  other_way: null,
  failure: null,
  expires_at: at(560),
};
export const enteringLong: FlowView = {
  ...entering,
  steps: entering.steps.map((it) => (it.id === "ask-server" ? step("ask-server", "now", -9.2, null) : it)),
  other_way: "check-connection",
};
export const usedCode: FlowFailure = {
  code: "token-used",
  remedy: "enroll-again",
  title: "This code was used already",
  detail: "It let bert-desktop in at 14:32. If that was not you, freeze the account from another device, or ask an administrator.",
  retry_after_seconds: null,
  request_id: "01JD8M5K2V",
};
export const enteringFailed: FlowView = {
  ...entering,
  steps: entering.steps.map((it) => (it.id === "ask-server" ? step("ask-server", "failed", -0.3, -0.1) : it)),
  next: { do: "start-over" },
  failure: usedCode,
};
export const offline: FlowFailure = {
  code: "server-unreachable",
  remedy: "retry",
  title: "The server cannot be reached",
  detail: "The server did not answer. Check the network connection, then try again. Nothing was changed.",
  retry_after_seconds: null,
  request_id: null,
};
export const enteringOffline: FlowView = {
  ...entering,
  steps: enteringFailed.steps,
  next: { do: "try-again" },
  failure: offline,
};
export const entered: FlowView = {
  ...entering,
  steps: [
    step("confirm", "done", -12, -0.5),
    step("make-key", "done", -0.5, -0.4),
    step("ask-server", "done", -0.4, -0.1),
    step("keep", "done", -0.1, 0),
  ],
  next: { do: "finished" },
};

export const asking: FlowView = {
  flow: "step-up",
  about: { ...about, token_kind: null, act: { act: "revoke-device", user: "bert", device: "bert-laptop" } },
  steps: [
    step("prepare", "done", -3, -2.8),
    step("use-passkey", "now", -2.8, null),
    step("collect", "pending", null, null),
  ],
  next: { do: "use-passkey", page_url: "http://localhost:8421/ceremony#x", match_number: "42", typed: false },
  other_way: null,
  failure: null,
  expires_at: at(290),
};
export const askingLong: FlowView = { ...asking, other_way: "type-code" };
export const askingTyped: FlowView = {
  ...asking,
  next: {
    do: "use-passkey",
    page_url: "https://id.harbour.example/ceremony#step-up.cer_7f3a19.vK3n2yQm8Zt0",
    match_number: "42",
    typed: true,
  },
};
const byKey = asking.steps.map((one) => (one.id === "use-passkey" ? step("use-security-key", "now", -2.8, null) : one));
export const askingPin: FlowView = {
  ...asking,
  steps: byKey,
  next: { do: "use-security-key", pin: { wrong: true, tries_left: 6 } },
  other_way: "use-browser",
};
export const askingTouch: FlowView = {
  ...asking,
  steps: byKey,
  next: { do: "use-security-key", pin: null },
  other_way: "use-browser",
};
export const askingMistyped: FlowView = {
  ...askingTyped,
  failure: {
    code: "completion-wrong",
    remedy: "check-input",
    title: "That is not the code the page shows",
    detail: "Look at the page again; tries left: 2.",
    retry_after_seconds: null,
    request_id: null,
  },
};

export const probation: FlowFailure = {
  code: "probation",
  remedy: "ask-operator",
  title: "This passkey is too new to remove what is older",
  detail: "It was made at 14:10 today. From tomorrow, 14:10, it can cut bert-laptop off for ever; an administrator can do it now. Until then it stays cut off for now, which is just as tight.",
  retry_after_seconds: null,
  request_id: "01JD8M7Q4B",
};
