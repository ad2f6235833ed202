/** Everything that the screens can ask of the app behind them; the only place that calls it. */
import { Channel, invoke } from "@tauri-apps/api/core";
import type { AddressInfo } from "@wire/AddressInfo";
import type { ApprovalInfo } from "@wire/ApprovalInfo";
import type { CodesSheet } from "@wire/CodesSheet";
import type { Copied } from "@wire/Copied";
import type { DeviceCut } from "@wire/DeviceCut";
import type { DeviceInfo } from "@wire/DeviceInfo";
import type { FlowFailure } from "@wire/FlowFailure";
import type { FlowView } from "@wire/FlowView";
import type { Frozen } from "@wire/Frozen";
import type { Me } from "@wire/Me";
import type { NewToken } from "@wire/NewToken";
import type { NoticeInfo } from "@wire/NoticeInfo";
import type { Page } from "@wire/Page";
import type { PasskeyInfo } from "@wire/PasskeyInfo";
import type { RecoveryChange } from "@wire/RecoveryChange";
import type { RecoveryCodeInfo } from "@wire/RecoveryCodeInfo";
import type { RecoveryHere } from "@wire/RecoveryHere";
import type { RecoveryInfo } from "@wire/RecoveryInfo";
import type { RecoveryPreview } from "@wire/RecoveryPreview";
import type { RecoveryTyped } from "@wire/RecoveryTyped";
import type { Revealed } from "@wire/Revealed";
import type { SavedSheet } from "@wire/SavedSheet";
import type { SecretInfo } from "@wire/SecretInfo";
import type { SheetFormat } from "@wire/SheetFormat";
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
  /** What a recovery sheet says, and whether names that were given are names. Sends nothing. */
  readSheet(typed: RecoveryTyped): Promise<RecoveryPreview>;
  /** Begins a recovery on this machine and goes as far as it can. */
  recover(typed: RecoveryTyped, onView: OnView): Promise<RecoveryHere>;
  /** The recovery that is under way on this machine, from its disk alone. */
  recoveryHere(): Promise<RecoveryHere | null>;
  /** Goes on with it after a change, or to see how it stands. */
  recoveryGoOn(change: RecoveryChange | null, onView: OnView): Promise<RecoveryHere | null>;
  /** The person is in and has the new code on paper. */
  recoverySeen(): Promise<void>;
  /** The person goes another way. */
  recoveryDrop(): Promise<void>;
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
  codes(): Promise<RecoveryCodeInfo[]>;
  /** Makes ten codes. Those before them stop working. */
  makeCodes(onView: OnView): Promise<CodesSheet>;
  /** Writes the sheet into a new file among the downloads. */
  saveSheet(sheet: CodesSheet, format: SheetFormat): Promise<SavedSheet>;
  /** Prints what the window shows. */
  print(): Promise<void>;
  addresses(): Promise<AddressInfo[]>;
  addAddress(address: string, onView: OnView): Promise<AddressInfo>;
  confirmAddress(id: string, code: string): Promise<AddressInfo>;
  removeAddress(id: string, onView: OnView): Promise<void>;
  /** A page of what happened, newest first, going on after the `next` of the page before. */
  notices(after: string | null): Promise<Page<NoticeInfo>>;
  /** Recoveries of one's own account that are under way. */
  recoveries(): Promise<RecoveryInfo[]>;
  stopRecovery(id: string, onView: OnView): Promise<RecoveryInfo>;
  /** Who in the tenant is on their way back in; administrators. */
  queue(): Promise<RecoveryInfo[]>;
  /** The one whose new machine shows these characters, however many others ask. */
  findRecovery(check: string): Promise<RecoveryInfo>;
  approve(id: string, check: string, reason: string, onView: OnView): Promise<RecoveryInfo>;
  refuse(id: string, onView: OnView): Promise<RecoveryInfo>;
  /** What one's agents ask for, newest first. */
  approvals(): Promise<ApprovalInfo[]>;
  /** Allows exactly what was shown. */
  grantApproval(shown: ApprovalInfo, onView: OnView): Promise<ApprovalInfo>;
  refuseApproval(id: string): Promise<ApprovalInfo>;
  secrets(): Promise<SecretInfo[]>;
  reveal(name: string): Promise<Revealed>;
  /** Puts a secret on the clipboard without passing it through the window. */
  copySecret(name: string): Promise<Copied>;
  /** Puts a text that is on the screen on the clipboard. */
  copyText(text: string): Promise<Copied>;
  /** Answers to the flow that runs: the other way, the typed code, stop. */
  flowOtherWay(): Promise<void>;
  flowTyped(code: string): Promise<void>;
  /** The PIN of the security key that is plugged in. */
  flowPin(pin: string): Promise<void>;
  flowCancel(): Promise<void>;
}

function views(onView: OnView): Channel<FlowView> {
  return new Channel<FlowView>(onView);
}

/** A call that answers nothing. Over the bridge that is `null`, which here means that a call failed. */
async function done(command: string, values?: Record<string, unknown>): Promise<void> {
  await invoke(command, values);
}

/** The app behind the window. */
export const tauri: Api = {
  standing: () => invoke("standing"),
  readToken: (text) => invoke("read_token", { text }),
  enroll: (text, names, onView) => invoke("enroll", { text, ...names, views: views(onView) }),
  readSheet: (typed) => invoke("sheet_read", { typed }),
  recover: (typed, onView) => invoke("recover", { typed, views: views(onView) }),
  recoveryHere: () => invoke("recovery_here"),
  recoveryGoOn: (change, onView) => invoke("recovery_go_on", { change, views: views(onView) }),
  recoverySeen: () => done("recovery_seen"),
  recoveryDrop: () => done("recovery_drop"),
  me: () => invoke("me"),
  devices: () => invoke("devices"),
  addDevice: (name, onView) => invoke("device_add", { name, views: views(onView) }),
  token: (id) => invoke("token", { id }),
  cancelToken: (id) => done("token_cancel", { id }),
  suspendDevice: (name, onView) => invoke("device_suspend", { name, views: views(onView) }),
  revokeDevice: (name, onView) => invoke("device_revoke", { name, views: views(onView) }),
  freeze: () => invoke("freeze"),
  unfreeze: (onView) => invoke("unfreeze", { views: views(onView) }),
  addPasskey: (attachment, label, onView) => invoke("passkey_add", { attachment, label, views: views(onView) }),
  codes: () => invoke("codes"),
  makeCodes: (onView) => invoke("codes_make", { views: views(onView) }),
  saveSheet: (sheet, format) => invoke("sheet_save", { sheet, format }),
  print: () => done("sheet_print"),
  addresses: () => invoke("addresses"),
  addAddress: (address, onView) => invoke("address_add", { address, views: views(onView) }),
  confirmAddress: (id, code) => invoke("address_confirm", { id, code }),
  removeAddress: (id, onView) => done("address_remove", { id, views: views(onView) }),
  notices: (after) => invoke("notices", { after }),
  recoveries: () => invoke("recoveries"),
  stopRecovery: (id, onView) => invoke("recovery_stop", { id, views: views(onView) }),
  queue: () => invoke("queue"),
  findRecovery: (check) => invoke("queue_find", { check }),
  approve: (id, check, reason, onView) => invoke("queue_approve", { id, check, reason, views: views(onView) }),
  refuse: (id, onView) => invoke("queue_refuse", { id, views: views(onView) }),
  approvals: () => invoke("approvals"),
  grantApproval: (shown, onView) => invoke("approval_grant", { shown, views: views(onView) }),
  refuseApproval: (id) => invoke("approval_refuse", { id }),
  secrets: () => invoke("secrets"),
  reveal: (name) => invoke("secret_reveal", { name }),
  copySecret: (name) => invoke("secret_copy", { name }),
  copyText: (text) => invoke("copy_text", { text }),
  flowOtherWay: () => done("flow_other_way"),
  flowTyped: (code) => done("flow_typed", { code }),
  flowPin: (pin) => done("flow_pin", { pin }),
  flowCancel: () => done("flow_cancel"),
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
