//! `notices`.

use crate::app::App;
use crate::args::{NoticesArgs, NoticesVerb};
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::texts;
use landfall_client::Failure;
use landfall_client::words::MailAddress;
use landfall_protocol::ErrorCode;
use landfall_protocol::notice::{AddressInfo, NoticeInfo};
use serde_json::json;

pub async fn run(app: &App, args: NoticesArgs) -> Result<Answer, Failure> {
    match args.act {
        None => happened(app, args.limit, args.after.as_deref()).await,
        Some(NoticesVerb::Addresses) => {
            let addresses = app.client.addresses().await?;
            Answer::new(&json!({ "items": addresses }), list(&addresses))
        }
        Some(NoticesVerb::Add { address }) => {
            let added = app.with_person(async || app.client.add_address(&address).await).await?;
            let text = match added.confirmed_at {
                Some(_) => format!("Notices go to {} already.", added.address),
                None => texts::code_mailed(&added.address),
            };
            Answer::new(&added, text)
        }
        Some(NoticesVerb::Confirm { mailed, address }) => {
            let waiting = waiting(app, address.as_ref()).await?;
            let confirmed = app.client.confirm_address(&waiting.id, &mailed).await?;
            let text = format!("Notices go to {} from now on.", confirmed.address);
            Answer::new(&confirmed, text)
        }
        Some(NoticesVerb::Remove { address }) => {
            let all = app.client.addresses().await?;
            let found = all.into_iter().find(|one| one.address == address.as_str());
            let found = found.ok_or_else(|| missing(texts::NO_SUCH_ADDRESS))?;
            app.with_person(async || app.client.remove_address(&found.id).await).await?;
            let text = format!("Notices no longer go to {address}, which was told so.");
            Answer::new(&json!({ "removed": found.id }), text)
        }
    }
}

async fn happened(app: &App, limit: u32, after: Option<&str>) -> Result<Answer, Failure> {
    let page = app.client.notices(limit, after).await?;
    let mut text = match page.items.is_empty() {
        true => texts::NO_NOTICES.to_owned(),
        false => page.items.iter().map(one).collect::<Vec<_>>().join("\n"),
    };
    if let Some(next) = &page.next {
        text.push_str(&format!("\nMore: --after {next}"));
    }
    if !page.items.is_empty() {
        text.push_str(texts::NOT_YOU);
    }
    Answer::new(&page, text)
}

fn one(notice: &NoticeInfo) -> String {
    let from = notice.source.as_ref().map(|source| format!(" From {source}.")).unwrap_or_default();
    format!("{}  {}{from}", clock_time(notice.at), notice.text)
}

/// The address that waits for its code: the one that was named, or the only one.
async fn waiting(app: &App, named: Option<&MailAddress>) -> Result<AddressInfo, Failure> {
    let all = app.client.addresses().await?;
    let fits = |one: &AddressInfo| match named {
        Some(named) => one.address == named.as_str(),
        None => one.confirmed_at.is_none(),
    };
    let mut fitting = all.into_iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(missing(texts::NO_ADDRESS_WAITS)),
        (Some(_), Some(_)) => Err(Failure::new(ErrorCode::InvalidField, texts::TWO_ADDRESSES_WAIT)),
    }
}

fn missing(text: &str) -> Failure {
    Failure::new(ErrorCode::NotFound, text)
}

fn list(addresses: &[AddressInfo]) -> String {
    if addresses.is_empty() {
        return texts::NO_ADDRESSES.to_owned();
    }
    let row = |one: &AddressInfo| {
        let state = match one.confirmed_at {
            Some(at) => format!("since {}", clock_time(at)),
            None => "waits for its code: landfall notices confirm".to_owned(),
        };
        vec![one.address.clone(), state]
    };
    let rows: Vec<_> = addresses.iter().map(row).collect();
    table(&["ADDRESS", "STATE"], &rows)
}
