//! `admin`.

use super::device::gone;
use super::token::made;
use super::{audit, device, policy, provisioned, readiness, recovery, workload_issuers};
use crate::app::App;
use crate::args::{AdminDeviceVerb, AdminRoleVerb, AdminVerb};
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::texts;
use landfall_client::words::{Role, TokenKind, UserName};
use landfall_client::{Failure, MintRequest};
use landfall_protocol::admin::UserInfo;
use serde_json::json;

pub async fn run(app: &App, verb: AdminVerb) -> Result<Answer, Failure> {
    match verb {
        AdminVerb::Invite { user, device, role, ttl } => {
            app.need_person()?;
            let request = MintRequest { kind: TokenKind::Invite, user, device, role, ttl };
            let minted = app.client.mint(request, &app.terminal).await?;
            made(app, &minted)
        }
        AdminVerb::Users => {
            let users = app.client.admin_users().await?;
            Answer::new(&json!({ "items": users }), list(&users))
        }
        AdminVerb::Devices { user, act: None } => {
            let devices = app.client.admin_devices(user.as_ref()).await?;
            Answer::new(&json!({ "items": devices }), device::list(&devices, true))
        }
        AdminVerb::Devices { act: Some(act), .. } => devices(app, act).await,
        AdminVerb::Recoveries(verb) => recovery::admin(app, verb).await,
        AdminVerb::Readiness { full, standing } => readiness::admin(app, full, standing).await,
        AdminVerb::Provisioned(verb) => provisioned::run(app, verb).await,
        AdminVerb::WorkloadIssuers(verb) => workload_issuers::run(app, verb).await,
        AdminVerb::Freeze { user } => {
            app.need_person()?;
            app.confirm(&texts::ask_admin_freeze(user.as_str()))?;
            let frozen = app.client.admin_freeze(&user, &app.terminal).await?;
            Answer::new(&frozen, texts::admin_frozen(user.as_str()))
        }
        AdminVerb::Unfreeze { user } => {
            let users = app.client.admin_users().await?;
            if users.iter().any(|known| known.name == user && !known.frozen) {
                let text = texts::not_frozen_account(user.as_str());
                return Answer::new(&texts::NOTHING_FROZEN, text);
            }
            app.need_person()?;
            let frozen = app.client.admin_unfreeze(&user, &app.terminal).await?;
            let stopped = texts::recoveries_stopped(frozen.recoveries_stopped);
            Answer::new(&frozen, format!("The account of {user} works again.{stopped}"))
        }
        AdminVerb::Audit(filter) => audit::rows(app, filter, true).await,
        AdminVerb::Policy(verb) => policy::run(app, verb).await,
        AdminVerb::Role(AdminRoleVerb::Set { user, role }) => set_role(app, &user, role).await,
    }
}

async fn set_role(app: &App, user: &UserName, role: Role) -> Result<Answer, Failure> {
    let users = app.client.admin_users().await?;
    if let Some(known) = users.into_iter().find(|known| known.name == *user && known.role == role) {
        return Answer::new(&known, format!("{user} is {} already.", role.in_words()));
    }
    app.need_person()?;
    let changed = app.client.admin_set_role(user, role, &app.terminal).await?;
    Answer::new(&changed, format!("{user} is {} now.", role.in_words()))
}

async fn devices(app: &App, act: AdminDeviceVerb) -> Result<Answer, Failure> {
    match act {
        AdminDeviceVerb::Suspend { user, device } => {
            let suspend = async || app.client.admin_suspend_device(&user, &device).await;
            let cut = app.with_person(suspend).await?;
            Answer::new(&cut, device::cut_text_of(app, &user, &cut)?)
        }
        AdminDeviceVerb::Resume { user, device } => {
            let resume = async || app.client.admin_resume_device(&user, &device).await;
            let info = app.with_person(resume).await?;
            Answer::new(&info, format!("{device} of {user} works again."))
        }
        AdminDeviceVerb::Revoke { user, device } => {
            let all = app.client.admin_devices(Some(&user)).await?;
            if let Some(known) = all.into_iter().find(|known| known.name == device)
                && let Some(done) = gone(known)?
            {
                return Ok(done);
            }
            app.need_person()?;
            app.confirm(&texts::ask_revoke(device.as_str()))?;
            let cut = app.client.admin_revoke_device(&user, &device, &app.terminal).await?;
            Answer::new(&cut, device::cut_text_of(app, &user, &cut)?)
        }
    }
}

fn state_of(user: &UserInfo) -> String {
    match (user.frozen, user.stopped_by_admin, &user.stopped_by) {
        (false, ..) => "works".to_owned(),
        (true, false, _) => "frozen".to_owned(),
        (true, true, Some(admin)) => format!("stopped by {admin}"),
        (true, true, None) => "stopped".to_owned(),
    }
}

fn list(users: &[UserInfo]) -> String {
    let row = |user: &UserInfo| {
        vec![
            user.name.to_string(),
            user.role.as_str().to_owned(),
            state_of(user),
            user.active_devices.to_string(),
            user.passkeys.to_string(),
            clock_time(user.created_at),
        ]
    };
    let rows: Vec<_> = users.iter().map(row).collect();
    table(&["USER", "ROLE", "STATE", "DEVICES", "PASSKEYS", "SINCE"], &rows)
}
