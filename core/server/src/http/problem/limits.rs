//! What to do where there was too much of something, or where something serves a time and no longer.

use super::{duration, sentence, time};
use landfall_identity::Refusal;

pub(super) fn next_step_of_limits(refusal: &Refusal) -> String {
    match refusal {
        Refusal::CredentialExpired { at } => {
            format!("It was over at {}. Ask an operator for another one.", time(*at))
        }
        Refusal::CredentialClaimed { at } => format!(
            "A machine put a key of its own in its place at {}. If that was not this one, tell an operator at \
             once: somebody else has its file and its words.",
            time(*at)
        ),
        Refusal::SecondPersonNeeded => {
            "Keys for machines of this role take two people. Have another operator or administrator \
             agree, by the name and the role of this machine and by yours: landfall admin provisioned approve --help \
             shows how. That is good for an hour. Then run this again."
                .to_owned()
        }
        Refusal::TooManySecrets => "Delete one that is not needed any more.".to_owned(),
        Refusal::TooManyVersions => {
            "Writing it would push out a version that is younger than a day. Delete one, or wait."
                .to_owned()
        }
        Refusal::TooManyGuardians => {
            "Nine are the most. Remove one first: landfall recovery guardians remove NAME.".to_owned()
        }
        Refusal::MailUnavailable => {
            "Whoever runs this server can turn it on: smtp_url and smtp_from. Until then your devices \
             show what happens: landfall notices."
                .to_owned()
        }
        Refusal::TooManyAddresses => {
            "Two are the most. Remove one first: landfall notices remove ADDRESS.".to_owned()
        }
        Refusal::AddressCodeWrong { tries_left } => {
            format!("Look at the newest mail. Tries that are left: {tries_left}.")
        }
        Refusal::LinkOver => {
            "It works once, for seven days. To stop your account now, run this on one of your devices: \
             landfall freeze. An administrator can help, too."
                .to_owned()
        }
        Refusal::AddressCodeOver => {
            "Ask for another one: landfall notices add, with the same address.".to_owned()
        }
        Refusal::RateLimited { retry_after } => {
            format!("Wait {}, then try again.", duration(*retry_after))
        }
        Refusal::PlaceBusy { retry_after } => format!(
            "Many who share this network have begun to come back within an hour, or one who does has: it is the \
             network, and not you. Another one, such as your phone's, works at once. Here, wait {}, then try \
             again. Nothing of yours was used up.",
            duration(*retry_after)
        ),
        Refusal::ClockJumped => {
            "Whoever runs this server has to confirm its time: landfall-server clock confirm."
                .to_owned()
        }
        other => sentence(&other.to_string()),
    }
}
