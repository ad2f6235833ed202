//! What the screens ask on a machine that is on its way back in. Each command translates and delegates.

use crate::commands::{Desk, Told, Views, told};
use landfall_client::screen::{RecoveryChange, RecoveryHere, RecoveryPreview, RecoveryTyped};
use tauri::State;

#[tauri::command]
pub fn sheet_read(desk: State<'_, Desk>, typed: RecoveryTyped) -> Told<RecoveryPreview> {
    desk.client.read_sheet(&typed).map_err(told)
}

#[tauri::command]
pub async fn recover(
    desk: State<'_, Desk>,
    typed: RecoveryTyped,
    views: Views,
) -> Told<RecoveryHere> {
    desk.client.recover_here(&typed, &desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub fn recovery_here(desk: State<'_, Desk>) -> Told<Option<RecoveryHere>> {
    desk.client.recovery_here().map_err(told)
}

#[tauri::command]
pub async fn recovery_go_on(
    desk: State<'_, Desk>,
    change: Option<RecoveryChange>,
    views: Views,
) -> Told<Option<RecoveryHere>> {
    desk.client.recovery_go_on(change.as_ref(), &desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub async fn recovery_seen(desk: State<'_, Desk>) -> Told<()> {
    desk.client.recovery_seen().await.map_err(told)
}

#[tauri::command]
pub async fn recovery_drop(desk: State<'_, Desk>) -> Told<()> {
    desk.client.recovery_drop().await.map_err(told)
}
