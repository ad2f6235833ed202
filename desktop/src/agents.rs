//! What a person's agents ask them for. Each command translates and delegates.

use crate::commands::{Desk, Told, Views, told};
use landfall_client::words::ApprovalId;
use landfall_protocol::capability::ApprovalInfo;
use tauri::State;

#[tauri::command]
pub async fn approvals(desk: State<'_, Desk>) -> Told<Vec<ApprovalInfo>> {
    desk.client.approvals().await.map_err(told)
}

/// `shown` is what the person read: that is what they confirm, whatever the server holds by now.
#[tauri::command]
pub async fn approval_grant(
    desk: State<'_, Desk>,
    shown: ApprovalInfo,
    views: Views,
) -> Told<ApprovalInfo> {
    desk.client.grant_approval(&shown, &desk.shell(views)).await.map_err(told)
}

#[tauri::command]
pub async fn approval_refuse(desk: State<'_, Desk>, id: ApprovalId) -> Told<ApprovalInfo> {
    desk.client.refuse_approval(&id).await.map_err(told)
}
