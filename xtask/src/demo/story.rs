//! What happens.

use super::Cast;
use super::machine::Machine;
use super::stage::Stage;
use crate::sh;
use anyhow::{Context, Result, ensure};
use data_encoding::BASE64;
use serde_json::Value;

/// Two secrets that Bert wants back.
const SECRETS: [(&str, &str); 2] =
    [("home/wifi", "correct horse battery staple"), ("bank/pin", "4711")];

/// Plays it.
///
/// # Errors
/// Something did not go as it should.
pub fn play(stage: &Stage, cast: &mut Cast) -> Result<()> {
    stage.aside("Nobody has to touch anything: a small program stands in for people's security keys and browsers.");
    stage.aside(
        "Everything else is what people run: the server, and a folder of its own for each machine.",
    );
    ana_starts(stage, cast)?;
    bert_starts(stage, cast)?;
    stage.count_from_here();
    let token = bert_mints(stage, &cast.laptop)?;
    stage.turn("The laptop is gone. Bert sits down at a machine that has never seen Landfall.");
    bert_is_back(stage, cast, &token)?;
    the_laptop_is_out(stage, cast)
}

fn ana_starts(stage: &Stage, cast: &Cast) -> Result<()> {
    let ana = &cast.ana;
    stage.scene("Ana claims the new server on ana-desktop", || {
        ana.run_with(&["claim", "--user", "ana", "--device", "ana-desktop"], &cast.claim)?;
        Ok("The claim token is spent. Ana is the administrator; her key never left her machine."
            .into())
    })?;
    stage.scene("Ana registers her security key", || register(ana))
}

fn bert_starts(stage: &Stage, cast: &Cast) -> Result<()> {
    let mut invitation = String::new();
    stage.scene("Ana invites Bert", || {
        invitation = token_in(&cast.ana.run(&["admin", "invite", "bert"])?)?;
        Ok("Ana touched her key for exactly this: an invitation for bert, good for 72 hours."
            .into())
    })?;
    let laptop = &cast.laptop;
    stage.scene("Bert enrols bert-laptop", || {
        laptop.run_with(&["enroll", "--device", "bert-laptop"], &invitation)?;
        Ok("The invitation is spent; bert-laptop has a certificate for 24 hours.".into())
    })?;
    stage.scene("Bert registers his security key", || register(laptop))?;
    stage.scene("Bert stores two secrets", || {
        for (name, value) in SECRETS {
            laptop.run_with(&["secret", "set", name], value)?;
        }
        Ok(format!("{} and {} are kept for Bert, not for his laptop.", SECRETS[0].0, SECRETS[1].0))
    })
}

fn register(machine: &Machine) -> Result<String> {
    machine.run(&["webauthn", "register", "--type", "roaming"])?;
    Ok("The page asked for a touch; the passkey exists since the app redeemed it.".into())
}

fn bert_mints(stage: &Stage, laptop: &Machine) -> Result<String> {
    let mut token = String::new();
    stage.scene("Bert makes a token for bert-desktop", || {
        token = token_in(&laptop.run(&["device", "add", "bert-desktop"])?)?;
        Ok("He touched his key for exactly this. The token is good for ten minutes, once.".into())
    })?;
    Ok(token)
}

fn bert_is_back(stage: &Stage, cast: &mut Cast, token: &str) -> Result<()> {
    if let Some(app) = &mut cast.window {
        stage.aside("A window opens. Choose \"A code\" and paste this one:");
        println!("\n{token}\n");
        stage.aside("Look at your secrets, then close the window; the story goes on here.");
        sh::run(app)?;
    }
    let desktop = &cast.desktop;
    if desktop.ask(&["whoami"], "")?.code != 0 {
        stage.scene("Bert enrols bert-desktop with the token", || {
            desktop.run_with(&["enroll"], token)?;
            Ok("A new key, made here. The server took its public half and nothing else.".into())
        })?;
    }
    stage.scene("Bert reads his secrets on the new machine", || {
        for (name, value) in SECRETS {
            let read = desktop.run(&["secret", "get", name])?;
            ensure!(holds(&read, value), "{name} is not what it was");
        }
        Ok("Both are exactly what the laptop wrote.".into())
    })
}

fn the_laptop_is_out(stage: &Stage, cast: &Cast) -> Result<()> {
    let (desktop, laptop, ana) = (&cast.desktop, &cast.laptop, &cast.ana);
    stage.scene("Bert says that bert-laptop is lost", || {
        desktop.run(&["device", "suspend", "bert-laptop"])?;
        Ok("Suspended: its sessions and connections ended with that answer.".into())
    })?;
    // From here on nobody waits: Bert is back, and the laptop is out.
    stage.count_no_more();
    stage.scene("Whoever has the laptop tries to read a secret", || {
        laptop.refused(&["secret", "get", SECRETS[0].0], "device-suspended")
    })?;
    stage.scene("Ana revokes bert-laptop for ever", || {
        ana.run(&["admin", "devices", "revoke", "bert", "bert-laptop"])?;
        Ok("She registered her key before the laptop existed, so it may evict it now.".into())
    })?;
    stage.scene("The laptop tries to sign in once more", || {
        laptop.refused(&["login"], "device-revoked")
    })?;
    stage.scene("The laptop asks for its next certificate", || no_next_certificate(laptop))?;
    stage.scene("Ana reads what happened in the audit", || {
        let rows = ana.run(&["audit", "--tenant"])?.to_string();
        for act in ["enroll", "suspend-device", "admin-revoke-device", "read-secret"] {
            ensure!(rows.contains(act), "the audit has no row of {act}");
        }
        Ok("Every step is there: who, on which device, with which strength, and what was refused."
            .into())
    })
}

/// Its key still signs and its certificate is still good for hours: the answer is no all the same.
fn no_next_certificate(laptop: &Machine) -> Result<String> {
    // The report is the answer; that it is a bad one is told by the exit code.
    let answer = laptop.ask(&["doctor"], "")?;
    ensure!(answer.code != 0, "doctor finds nothing wrong with a revoked machine");
    let checks = answer.json["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = checks.iter().find(|check| check["id"] == "certificate");
    let found = found.context("doctor does not speak of the certificate")?;
    ensure!(found["code"] == "device-revoked", "the renewal was not refused: {found}");
    Ok(found["detail"].as_str().unwrap_or_default().to_owned())
}

fn token_in(answer: &Value) -> Result<String> {
    Ok(answer["code"].as_str().context("the answer has no code")?.to_owned())
}

fn holds(answer: &Value, value: &str) -> bool {
    answer["value_base64"].as_str() == Some(&BASE64.encode(value.as_bytes()))
}
