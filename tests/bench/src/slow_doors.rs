//! The doors that take a mailbox, or days: both pass while the watch stands still.

use super::{Scene, Watch, comes_in, scene_with, waits};
use anyhow::{Context, Result};
use landfall_client::words::RecoveryCode;
use landfall_identity::{MailAddress, Seconds};
use landfall_server::Config;
use landfall_server::config::SmtpUrl;
use landfall_test_support::world::{NoBrowser, told};
use landfall_test_support::{Mail, Protection, SmtpServer};
use std::path::Path;
use std::time::Duration;

/// Where Bert reads his mail.
const BERT: &str = "bert@example.org";
/// The legs of three days, in hours: to half, to the last day, to the end.
const LEGS: [u64; 3] = [36, 12, 24];

pub(super) async fn by_mailed_code() -> Result<Duration> {
    let smtp = SmtpServer::start(Protection::Plain).await?;
    let url = format!("smtp://localhost:{}", smtp.address.port());
    let mails = move |config: &mut Config, _: &Path| {
        config.smtp_url = Some(SmtpUrl::parse(&url)?);
        config.smtp_from = Some(MailAddress::parse("landfall@id.example.org")?);
        Ok(())
    };
    let scene = scene_with(mails).await?;
    has_an_address(&scene, &smtp).await?;
    let mut watch = Watch::default();
    let machine = scene.world.machine("bert-new")?;
    let code = RecoveryCode::parse(&scene.code.to_text())?;
    let mut recovering = machine.client.recover(scene.request(Some(code))?).map_err(told)?;
    waits(&mut watch, &mut recovering).await?;
    recovering.ask_by_mail();
    waits(&mut watch, &mut recovering).await?;
    let mail = mail_about(&scene, &smtp, "a code to get back into your account").await?;
    let is_code = |line: &&str| line.len() == 9 && line.as_bytes().get(4) == Some(&b'-');
    let text = mail.text()?;
    let typed = text.lines().map(str::trim).find(is_code).context("no code in the mail")?;
    recovering.give_mailed_code(typed).map_err(told)?;
    comes_in(&mut watch, &mut recovering).await?;
    scene.reads(&machine, &mut watch).await?;
    Ok(watch.0)
}

async fn has_an_address(scene: &Scene, smtp: &SmtpServer) -> Result<()> {
    let bert = &scene.bert;
    bert.step_up().await?;
    let added = bert.client().add_address(&MailAddress::parse(BERT)?).await.map_err(told)?;
    scene.world.until("the mail with the code", |_| !smtp.mails_to(BERT).is_empty()).await;
    let text = smtp.mails_to(BERT).first().context("no mail")?.text()?;
    let line = text.lines().find(|line| line.contains("landfall notices confirm "));
    let code = line.and_then(|line| line.rsplit(' ').next()).context("no code in the mail")?;
    bert.client().confirm_address(&added.id, code).await.map_err(told)?;
    Ok(())
}

async fn mail_about(scene: &Scene, smtp: &SmtpServer, subject: &str) -> Result<Mail> {
    let about = || {
        let ends = |mail: &Mail| mail.field("Subject").is_some_and(|it| it.ends_with(subject));
        smtp.mails_to(BERT).into_iter().find(ends)
    };
    scene.world.until(subject, |_| about().is_some()).await;
    about().context("the mail is gone")
}

pub(super) async fn by_waiting() -> Result<Duration> {
    let three_days = |config: &mut Config, _: &Path| {
        config.recovery_waiting_days = Some(3);
        Ok(())
    };
    let mut scene = scene_with(three_days).await?;
    scene.bert.client().set_waiting(true, &scene.bert.shell).await.map_err(told)?;
    let mut watch = Watch::default();
    let machine = scene.world.machine("bert-new")?;
    let code = RecoveryCode::parse(&scene.code.to_text())?;
    let mut recovering = machine.client.recover(scene.request(Some(code))?).map_err(told)?;
    recovering.ask_to_wait();
    waits(&mut watch, &mut recovering).await?;
    // Time moves only while somebody hears of it.
    heard(&scene).await?;
    recovering.run(&NoBrowser).await.map_err(told)?;
    for (hours, kind) in LEGS.into_iter().zip([Some("wait-half"), Some("wait-ends"), None]) {
        scene.world.pass(Seconds::hours(hours)).await?;
        if let Some(kind) = kind {
            let sql = format!("SELECT COUNT(*) FROM notices WHERE kind = '{kind}'");
            scene.world.until(kind, |world| world.number(&sql).is_ok_and(|found| found > 0)).await;
            heard(&scene).await?;
        }
    }
    comes_in(&mut watch, &mut recovering).await?;
    scene.reads(&machine, &mut watch).await?;
    Ok(watch.0)
}

async fn heard(scene: &Scene) -> Result<()> {
    scene.bert.client().notices(20, None).await.map_err(told)?;
    Ok(())
}
