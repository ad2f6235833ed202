/** Everything that the screens can ask of the app behind them; the only place that calls it. */
import { Channel, invoke } from "@tauri-apps/api/core";
import type { Copied } from "@wire/Copied";
import type { DeviceCut } from "@wire/DeviceCut";
import type { DeviceInfo } from "@wire/DeviceInfo";
import type { FlowFailure } from "@wire/FlowFailure";
import type { FlowView } from "@wire/FlowView";
import type { Frozen } from "@wire/Frozen";
import type { Me } from "@wire/Me";
import type { NewToken } from "@wire/NewToken";
import type { PasskeyInfo } from "@wire/PasskeyInfo";
import type { Revealed } from "@wire/Revealed";
import type { SecretInfo } from "@wire/SecretInfo";
import type { Standing } from "@wire/Standing";
import type { TokenInfo } from "@wire/TokenInfo";
import type { TokenPreview } from "@wire/TokenPreview";

/** Hears each view of a flow while a call runs. */
export type OnView = (view: FlowView) => void;
/** Names that a code leaves open. */
export type Names = Readonly<{ user: string | null; device: string | null }>;
export type Attachment = PasskeyInfo["attachment"];

/** Each call rejects with a {@link FlowFailure}. */
export interface Api {
  standing(): Promise<Standing>;
  /** What a code is for. Spends nothing. */
  readToken(text: string): Promise<TokenPreview>;
  /** Redeems a code that a person has read about and said yes to. The same again goes on where it stopped. */
  enroll(text: string, names: Names, onView: OnView): Promise<Standing>;
  me(): Promise<Me>;
  devices(): Promise<DeviceInfo[]>;
  addDevice(name: string, onView: OnView): Promise<NewToken>;
  token(id: string): Promise<TokenInfo>;
  cancelToken(id: string): Promise<void>;
  suspendDevice(name: string, onView: OnView): Promise<DeviceCut>;
  revokeDevice(name: string, onView: OnView): Promise<DeviceCut>;
  freeze(): Promise<Frozen>;
  unfreeze(onView: OnView): Promise<Frozen>;
  addPasskey(attachment: Attachment, label: string, onView: OnView): Promise<PasskeyInfo>;
  secrets(): Promise<SecretInfo[]>;
  reveal(name: string): Promise<Revealed>;
  /** Puts a secret on the clipboard without passing it through the window. */
  copySecret(name: string): Promise<Copied>;
  /** Puts a text that is on the screen on the clipboard. */
  copyText(text: string): Promise<Copied>;
  /** Answers to the flow that runs: the other way, the typed code, stop. */
  flowOtherWay(): Promise<void>;
  flowTyped(code: string): Promise<void>;
  flowCancel(): Promise<void>;
}

function views(onView: OnView): Channel<FlowView> {
  return new Channel<FlowView>(onView);
}

/** The app behind the window. */
export const tauri: Api = {
  standing: () => invoke("standing"),
  readToken: (text) => invoke("read_token", { text }),
  enroll: (text, names, onView) => invoke("enroll", { text, ...names, views: views(onView) }),
  me: () => invoke("me"),
  devices: () => invoke("devices"),
  addDevice: (name, onView) => invoke("device_add", { name, views: views(onView) }),
  token: (id) => invoke("token", { id }),
  cancelToken: (id) => invoke("token_cancel", { id }),
  suspendDevice: (name, onView) => invoke("device_suspend", { name, views: views(onView) }),
  revokeDevice: (name, onView) => invoke("device_revoke", { name, views: views(onView) }),
  freeze: () => invoke("freeze"),
  unfreeze: (onView) => invoke("unfreeze", { views: views(onView) }),
  addPasskey: (attachment, label, onView) => invoke("passkey_add", { attachment, label, views: views(onView) }),
  secrets: () => invoke("secrets"),
  reveal: (name) => invoke("secret_reveal", { name }),
  copySecret: (name) => invoke("secret_copy", { name }),
  copyText: (text) => invoke("copy_text", { text }),
  flowOtherWay: () => invoke("flow_other_way"),
  flowTyped: (code) => invoke("flow_typed", { code }),
  flowCancel: () => invoke("flow_cancel"),
};

/** What a rejected call says; whatever else is thrown is our own fault. */
export function asFailure(error: unknown): FlowFailure {
  const known = typeof error === "object" && error !== null && "code" in error && "remedy" in error;
  if (known) return error as FlowFailure;
  return {
    code: "internal",
    remedy: "report",
    title: "Something failed in the app",
    detail: error instanceof Error ? error.message : String(error),
    retry_after_seconds: null,
    request_id: null,
  };
}
