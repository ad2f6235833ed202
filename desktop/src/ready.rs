//! What the screens ask so that a loss finds its owner ready, and what administrators do for those whom
//! it did not. Each command translates and delegates.

use crate::commands::{Desk, Told, Views, told};
use landfall_client::screen::{CodesSheet, SavedSheet};
use landfall_client::words::{AddressId, RecoveryId};
use landfall_client::{Failure, SheetFormat};
use landfall_protocol::notice::{AddressInfo, NoticeInfo};
use landfall_protocol::recovery::{RecoveryCodeInfo, RecoveryInfo};
use landfall_protocol::{ErrorCode, Page};
use tauri::{Manager, State, WebviewWindow};

/// How many notices one page has.
const NOTICES_PAGE: u32 = 50;
const NO_FOLDER: &str =
    "This machine has no folder for downloads. Print the sheet, or write it down.";
const NO_PRINTER: &str = "Printing is not possible here. Save the sheet, or write it down.";

#[tauri::command]
pub async fn codes(desk: State<'_, Desk>) -> Told<Vec<RecoveryCodeInfo>> {
    desk.client.recovery_codes().await.map_err(told)
}

#[tauri::command]
pub async fn codes_make(desk: State<'_, Desk>, views: Views) -> Told<CodesSheet> {
    desk.client.make_sheet(&desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub fn sheet_save(
    desk: State<'_, Desk>,
    window: WebviewWindow,
    sheet: CodesSheet,
    format: SheetFormat,
) -> Told<SavedSheet> {
    let paths = window.path();
    let missing = |_| told(Failure::new(ErrorCode::StateUnwritable, NO_FOLDER));
    let folder = paths.download_dir().or_else(|_| paths.home_dir()).map_err(missing)?;
    desk.client.save_sheet(&sheet, format, &folder).map_err(told)
}

#[tauri::command]
pub fn sheet_print(window: WebviewWindow) -> Told<()> {
    window.print().map_err(|_| told(Failure::new(ErrorCode::Internal, NO_PRINTER)))
}

#[tauri::command]
pub async fn addresses(desk: State<'_, Desk>) -> Told<Vec<AddressInfo>> {
    desk.client.addresses().await.map_err(told)
}

#[tauri::command]
pub async fn address_add(
    desk: State<'_, Desk>,
    address: String,
    views: Views,
) -> Told<AddressInfo> {
    desk.client.add_address_here(&address, &desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub async fn address_confirm(
    desk: State<'_, Desk>,
    id: AddressId,
    code: String,
) -> Told<AddressInfo> {
    desk.client.confirm_address(&id, code.trim()).await.map_err(told)
}

#[tauri::command]
pub async fn address_remove(desk: State<'_, Desk>, id: AddressId, views: Views) -> Told<()> {
    desk.client.remove_address_here(&id, &desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub async fn notices(desk: State<'_, Desk>, after: Option<String>) -> Told<Page<NoticeInfo>> {
    desk.client.notices(NOTICES_PAGE, after.as_deref()).await.map_err(told)
}

#[tauri::command]
pub async fn recoveries(desk: State<'_, Desk>) -> Told<Vec<RecoveryInfo>> {
    desk.client.recoveries().await.map_err(told)
}

#[tauri::command]
pub async fn recovery_stop(
    desk: State<'_, Desk>,
    id: RecoveryId,
    views: Views,
) -> Told<RecoveryInfo> {
    desk.client.stop_recovery_here(&id, &desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub async fn queue(desk: State<'_, Desk>) -> Told<Vec<RecoveryInfo>> {
    desk.client.admin_recoveries().await.map_err(told)
}

#[tauri::command]
pub async fn queue_find(desk: State<'_, Desk>, check: String) -> Told<RecoveryInfo> {
    desk.client.admin_recovery_that_shows(&check).await.map_err(told)
}

#[tauri::command]
pub async fn queue_approve(
    desk: State<'_, Desk>,
    id: RecoveryId,
    check: String,
    reason: String,
    views: Views,
) -> Told<RecoveryInfo> {
    let shell = desk.shell(views);
    desk.client.approve_recovery_here(&id, &check, &reason, &shell).await.map_err(told)
}

#[tauri::command]
pub async fn queue_refuse(
    desk: State<'_, Desk>,
    id: RecoveryId,
    views: Views,
) -> Told<RecoveryInfo> {
    desk.client.refuse_recovery_here(&id, &desk.shell(views)).await.map_err(told)
}
