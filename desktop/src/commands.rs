//! What the screens can ask. Each command translates and delegates; none decides anything.

use crate::clipboard::Clipboard;
use crate::shell::{Said, WindowShell};
use landfall_client::screen::{self, Copied, NewToken, Revealed, Standing, TokenPreview};
use landfall_client::words::{Attachment, TokenId};
use landfall_client::{Browser, Client, Failure, FlowFailure, FlowView, GivenNames, Signal};
use landfall_protocol::device::{DeviceCut, DeviceInfo};
use landfall_protocol::enroll::TokenInfo;
use landfall_protocol::me::{Frozen, Me};
use landfall_protocol::passkey::PasskeyInfo;
use landfall_protocol::secret::SecretInfo;
use tauri::State;
use tauri::ipc::Channel;
use zeroize::Zeroizing;

/// What all commands share.
pub struct Desk {
    /// The engine.
    pub client: Client,
    /// How passkey pages are opened.
    pub browser: Browser,
    /// Whether a security key that is plugged in is asked before the browser.
    pub keys: bool,
    /// What a person says to the flow that runs.
    pub said: Said,
    /// The clipboard.
    pub clipboard: Clipboard,
}

impl Desk {
    pub(crate) fn shell(&self, views: Channel<FlowView>) -> WindowShell {
        WindowShell::new(views, self.browser.clone(), self.keys, &self.said)
    }
}

pub(crate) type Views = Channel<FlowView>;
pub(crate) type Told<T> = Result<T, FlowFailure>;

pub(crate) fn told(failure: Failure) -> FlowFailure {
    FlowFailure::from(failure.problem())
}

#[tauri::command]
pub fn standing(desk: State<'_, Desk>) -> Told<Standing> {
    desk.client.standing().map_err(told)
}

#[tauri::command]
pub fn read_token(desk: State<'_, Desk>, text: String) -> Told<TokenPreview> {
    desk.client.preview(&Zeroizing::new(text)).map_err(told)
}

#[tauri::command]
pub async fn enroll(
    desk: State<'_, Desk>,
    text: String,
    user: Option<String>,
    device: Option<String>,
    views: Views,
) -> Told<Standing> {
    let names = GivenNames::typed(user.as_deref(), device.as_deref()).map_err(told)?;
    let pasted = Zeroizing::new(text);
    let mut enrolling = desk.client.enroll(&pasted, names, false).map_err(told)?;
    enrolling.run(&desk.shell(views)).await.map_err(told)?;
    desk.client.standing().map_err(told)
}

#[tauri::command]
pub async fn me(desk: State<'_, Desk>) -> Told<Me> {
    desk.client.whoami().await.map_err(told)
}

#[tauri::command]
pub async fn devices(desk: State<'_, Desk>) -> Told<Vec<DeviceInfo>> {
    desk.client.devices().await.map_err(told)
}

#[tauri::command]
pub async fn device_add(desk: State<'_, Desk>, name: String, views: Views) -> Told<NewToken> {
    let shell = desk.shell(views);
    desk.client.add_device(&name, &shell).await.map_err(told)
}

#[tauri::command]
pub async fn token(desk: State<'_, Desk>, id: String) -> Told<TokenInfo> {
    desk.client.token(&id).await.map_err(told)
}

#[tauri::command]
pub async fn token_cancel(desk: State<'_, Desk>, id: TokenId) -> Told<()> {
    desk.client.cancel_token(&id).await.map(drop).map_err(told)
}

#[tauri::command]
pub async fn device_suspend(desk: State<'_, Desk>, name: String, views: Views) -> Told<DeviceCut> {
    desk.client.cut_off_lost(&name, &desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub async fn device_revoke(desk: State<'_, Desk>, name: String, views: Views) -> Told<DeviceCut> {
    let device = screen::device_name(&name).map_err(told)?;
    desk.client.revoke_device(&device, &desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub async fn freeze(desk: State<'_, Desk>) -> Told<Frozen> {
    desk.client.freeze().await.map_err(told)
}

#[tauri::command]
pub async fn unfreeze(desk: State<'_, Desk>, views: Views) -> Told<Frozen> {
    desk.client.unfreeze_here(&desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub async fn passkey_add(
    desk: State<'_, Desk>,
    attachment: Attachment,
    label: String,
    views: Views,
) -> Told<PasskeyInfo> {
    let label = screen::label(&label).map_err(told)?;
    desk.client.register_passkey(attachment, label, &desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub async fn secrets(desk: State<'_, Desk>) -> Told<Vec<SecretInfo>> {
    desk.client.secrets().await.map_err(told)
}

#[tauri::command]
pub async fn secret_reveal(desk: State<'_, Desk>, name: String) -> Told<Revealed> {
    desk.client.reveal(&name).await.map_err(told)
}

#[tauri::command]
pub async fn secret_copy(desk: State<'_, Desk>, name: String) -> Told<Copied> {
    let text = desk.client.reveal_text(&name).await.map_err(told)?;
    desk.clipboard.keep(text, desk.client.ambient().clock.as_ref()).map_err(told)
}

#[tauri::command]
pub fn copy_text(desk: State<'_, Desk>, text: String) -> Told<Copied> {
    let clock = desk.client.ambient().clock.as_ref();
    desk.clipboard.keep(Zeroizing::new(text), clock).map_err(told)
}

#[tauri::command]
pub fn flow_other_way(desk: State<'_, Desk>) {
    desk.said.signal(Signal::OtherWay);
}

#[tauri::command]
pub fn flow_typed(desk: State<'_, Desk>, code: String) {
    desk.said.code(code);
}

#[tauri::command]
pub fn flow_pin(desk: State<'_, Desk>, pin: String) {
    desk.said.pin(pin);
}

#[tauri::command]
pub fn flow_cancel(desk: State<'_, Desk>) {
    desk.said.signal(Signal::Cancel);
}
