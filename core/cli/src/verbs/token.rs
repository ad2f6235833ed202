//! `token`, and how a new code is shown.

use crate::app::App;
use crate::args::TokenVerb;
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::texts;
use landfall_client::{Failure, Minted};
use landfall_protocol::enroll::{TokenInfo, TokenStateName};
use serde_json::json;

pub async fn run(app: &App, verb: TokenVerb) -> Result<Answer, Failure> {
    match verb {
        TokenVerb::List => {
            let tokens = app.client.tokens().await?;
            Answer::new(&json!({ "items": tokens }), list(&tokens))
        }
        TokenVerb::Cancel { id } => {
            let token = app.with_person(async || app.client.cancel_token(&id).await).await?;
            Answer::new(&token, "The code is withdrawn.")
        }
    }
}

/// A new code: the code alone on stdout, everything around it for the person.
pub fn made(app: &App, minted: &Minted) -> Result<Answer, Failure> {
    let info = &minted.info;
    let user = info.user.as_ref().map_or("", |user| user.as_str());
    let device = info.device.as_ref().map(|device| device.as_str());
    app.terminal.show_qr(&minted.text);
    app.terminal.say(&texts::code_made(user, device, &clock_time(info.expires_at)));
    let json = json!({ "token": info, "code": minted.text.as_str() });
    Answer::new(&json, minted.text.as_str())
}

fn list(tokens: &[TokenInfo]) -> String {
    if tokens.is_empty() {
        return texts::NO_TOKENS.to_owned();
    }
    let row = |token: &TokenInfo| {
        let user = token.user.as_ref().map_or("-".to_owned(), ToString::to_string);
        let device = token.device.as_ref().map_or("-".to_owned(), ToString::to_string);
        let mut state = match token.state {
            TokenStateName::Issued => format!("until {}", clock_time(token.expires_at)),
            TokenStateName::Expired => format!("expired {}", clock_time(token.expires_at)),
            TokenStateName::Cancelled => "cancelled".to_owned(),
            TokenStateName::Consumed => "used".to_owned(),
        };
        if let Some(at) = token.consumed_at {
            let by = token.consumed_by.as_ref().map_or("", |device| device.as_str());
            state = format!("used {} by {by}", clock_time(at));
        }
        if token.refused_tries > 0 {
            state.push_str(&format!(", {} wrong tries", token.refused_tries));
        }
        vec![token.id.to_string(), token.kind.as_str().to_owned(), user, device, state]
    };
    let rows: Vec<_> = tokens.iter().map(row).collect();
    table(&["ID", "KIND", "USER", "DEVICE", "STATE"], &rows)
}
