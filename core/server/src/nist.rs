//! What a configuration keeps of NIST SP 800-63B-4, section 4: binding, recovery and notification.
//!
//! Each rule is a function over the running configuration and over the constants and plans that the
//! server really uses, so that the statement changes when they do. It says what is kept, and why; what
//! is not kept is said as plainly.

use crate::config::Config;
use crate::doors::leads_in;
use landfall_crypto::crockford::TypedCode;
use landfall_crypto::door::DOOR_SECRET_LENGTH;
use landfall_crypto::recovery_code;
use landfall_identity::action::{Action, Binding, Entry};
use landfall_identity::address::{ADDRESSES_PER_USER, CODE_TTL};
use landfall_identity::notice::letter::{Told, of_one};
use landfall_identity::notice::{By, Happening, Notice};
use landfall_identity::recovery::{Door, MAILED_CODE_TTL, Plan, WAIT_MIN, Way};
use landfall_identity::{AuthStrength, DeviceName, Role, Seconds, TenantName, Timestamp, UserName};
use serde::Serialize;
use std::fmt;

/// The longest that a binding code may live.
const BINDING_CODE_TTL: Seconds = Seconds::minutes(10);
/// The fewest bits of one that is used without an identifier.
const BINDING_CODE_BITS: usize = 112;
/// The fewest bits of a saved recovery code.
const SAVED_CODE_BITS: usize = 64;
/// The longest that a code in a mail may live.
const ISSUED_CODE_TTL: Seconds = Seconds::hours(24);
/// The fewest bits of an issued code: six decimal digits.
const ISSUED_CODE_BITS: usize = 20;
/// Notification addresses that must be supported.
const ADDRESSES: u32 = 2;

/// One rule, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The section.
    pub section: &'static str,
    /// The rule, in our words.
    pub rule: &'static str,
    /// Whether this configuration keeps it.
    pub kept: bool,
    /// Why, or what to change.
    pub why: String,
}

/// Every rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// The rules, by section.
    pub findings: Vec<Finding>,
}

/// What `config` keeps.
pub fn statement(config: &Config) -> Statement {
    let findings = vec![
        binding_codes(config),
        binding_bits(),
        new_authenticators(),
        binding_notices(config),
        saved_bits(),
        saved_once(),
        saved_notices(config),
        throttling(),
        issued_codes(),
        two_proofs(config),
        admins(config),
        no_waiting(config),
        recovery_notices(config),
        two_addresses(config),
        proofed_address(),
        clear_instructions(),
        loss_report(),
    ];
    Statement { findings }
}

fn finding(
    section: &'static str,
    rule: &'static str,
    kept: bool,
    why: impl Into<String>,
) -> Finding {
    Finding { section, rule, kept, why: why.into() }
}

fn binding_codes(config: &Config) -> Finding {
    let longest = config.device_token_ttl_max();
    let kept = longest <= BINDING_CODE_TTL;
    let why = match kept {
        true => format!("device_token_ttl_max_seconds is {}", longest.0),
        false => format!(
            "device_token_ttl_max_seconds is {}; set it to {} or less",
            longest.0, BINDING_CODE_TTL.0
        ),
    };
    finding("4.1.2.2", "A binding code serves once, and for ten minutes at most", kept, why)
}

fn binding_bits() -> Finding {
    let bits = DOOR_SECRET_LENGTH * 8;
    let kept = bits >= BINDING_CODE_BITS;
    let why = format!("{bits} random bits, of which the server sees a derived half only");
    finding("4.1.2.2", "A binding code has 112 random bits at least", kept, why)
}

fn new_authenticators() -> Finding {
    let demand = Action::RegisterPasskey.demand();
    let human = demand.entry == Entry::Session(AuthStrength::CertHuman);
    let kept = human && demand.binding == Binding::BoundOrGrant;
    let why = "a passkey takes a touch of an older one for exactly this, or a device that was just \
               enrolled or recovered";
    finding("4.1.2.1", "A new authenticator takes authentication as strong as it is", kept, why)
}

fn by_mail(config: &Config) -> (bool, String) {
    match config.smtp_url {
        Some(_) => {
            (true, "mailed to every confirmed address, and shown on every device".to_owned())
        }
        None => (
            false,
            "shown on the user's own devices only; set smtp_url and smtp_from to mail it"
                .to_owned(),
        ),
    }
}

fn binding_notices(config: &Config) -> Finding {
    let (kept, why) = by_mail(config);
    finding(
        "4.1.2.1",
        "The user is notified of each new authenticator by another channel",
        kept,
        why,
    )
}

fn saved_bits() -> Finding {
    let bits = recovery_code::SECRET_LENGTH * 8;
    let why = format!("{bits} random bits");
    finding(
        "4.2.1.1",
        "A saved recovery code has 64 random bits at least",
        bits >= SAVED_CODE_BITS,
        why,
    )
}

fn saved_once() -> Finding {
    // The plan never lets a code in by itself, so the device, the burnt code and its successor are one act.
    let kept = leads_in(Door::RecoveryCode);
    let why = "kept as a keyed SHA-256; burnt in the act that it lets somebody in by, which fails \
               without a new code in its place";
    finding(
        "4.2.1.1",
        "Saved codes are kept hashed, serve once, and are replaced when used",
        kept,
        why,
    )
}

fn saved_notices(config: &Config) -> Finding {
    let (kept, why) = by_mail(config);
    finding("4.2.1.1", "New saved codes are notified like a recovery", kept, why)
}

fn throttling() -> Finding {
    let why = "wrong codes are limited per recovery and per place, and not per account: at this length \
               nothing can be guessed, and a limit per account would let anybody keep its owner out";
    finding("3.2.2", "Failed attempts are limited to 100 in a row for each account", false, why)
}

fn issued_codes() -> Finding {
    let bits = size_of::<TypedCode>() * 8;
    let kept = CODE_TTL.max(MAILED_CODE_TTL) <= ISSUED_CODE_TTL && bits >= ISSUED_CODE_BITS;
    let why = format!(
        "a mailed code has {bits} bits; one that confirms an address serves for {} minutes, one that \
         proves a recovery for {}, and never by itself",
        CODE_TTL.0 / 60,
        MAILED_CODE_TTL.0 / 60
    );
    finding(
        "4.2.1.2",
        "A mailed code lives 24 hours at most, and addresses are confirmed by one",
        kept,
        why,
    )
}

/// Ways that are open to somebody who has lost every device, by doors that lead in.
fn ways(config: &Config, role: Role) -> Vec<Way> {
    let plan: Plan = config.plan().for_role(role);
    let plan = plan.within(|door| door != Door::Device && leads_in(door));
    plan.and_then(|plan| plan.ways(true).ok()).unwrap_or_default()
}

fn weak(door: &Door) -> bool {
    matches!(door, Door::RecoveryCode | Door::MailedCode | Door::Guardian)
}

fn two_proofs(config: &Config) -> Finding {
    let alone = |way: &Way| way.proofs.len() < 2 && way.proofs.keys().all(weak);
    let found = ways(config, Role::Member).into_iter().find(alone);
    let why = match &found {
        None => {
            "no code lets anybody in by itself: another kind of proof stands beside it".to_owned()
        }
        Some(way) => {
            format!("recovery_plan lets in by: {way}; ask for a second kind of proof with it")
        }
    };
    finding(
        "4.2.2.2",
        "A recovery at AAL2 takes two codes of different kinds, or one and a factor",
        found.is_none(),
        why,
    )
}

fn admins(config: &Config) -> Finding {
    let alone = |way: &Way| way.proofs.keys().all(|door| *door == Door::Admin);
    let role = Role::Admin;
    let single = |way: &Way| alone(way) && way.proofs.values().any(|count| *count < 2);
    let kept = !ways(config, role).iter().any(single);
    let why = match ways(config, Role::Member).iter().any(alone) {
        true => {
            "an administrator who vouches is a method of one's own: write down the analysis of its \
                 risk. It is held while a device could object, and administrators need two others"
        }
        false => "no administrator lets anybody in without another proof",
    };
    finding("4.2.1", "Methods of one's own rest on a written analysis of their risk", kept, why)
}

fn no_waiting(config: &Config) -> Finding {
    let waits = |way: &Way| way.wait_seconds >= WAIT_MIN;
    let found = ways(config, Role::Member).into_iter().find(waits);
    let why = match &found {
        None => "recovery_plan has no waiting period in place of a proof".to_owned(),
        Some(way) => format!("recovery_plan lets time stand in for a proof: {way}"),
    };
    finding("4.2.2", "Time stands in for no proof", found.is_none(), why)
}

fn recovery_notices(config: &Config) -> Finding {
    let (kept, why) = by_mail(config);
    finding("4.2.3", "Every recovery is notified", kept, why)
}

fn two_addresses(config: &Config) -> Finding {
    let kept = ADDRESSES_PER_USER >= ADDRESSES && config.smtp_url.is_some();
    let why = match config.smtp_url {
        Some(_) => {
            format!("{ADDRESSES_PER_USER} for each user, and every notice goes to all of them")
        }
        None => "this server mails nothing; set smtp_url and smtp_from".to_owned(),
    };
    finding("4.6", "Two addresses for each user, and notices go to all of them", kept, why)
}

fn proofed_address() -> Finding {
    let why = "users confirm their addresses themselves, and may have none: there is no identity \
               proofing here. landfall admin readiness shows who is how ready";
    finding("4.6", "One address was validated when the user was proofed", false, why)
}

/// Looks at a real letter.
fn clear_instructions() -> Finding {
    let letter = example().map(|notice| of_one(Told { notice: &notice, at: "now" }, "here", None));
    let says = |text: &str| letter.as_ref().is_some_and(|letter| letter.body.contains(text));
    let kept = says("If it was not you") && says("landfall freeze");
    let why = "each notice ends with what to do, and a way to stop everything at once";
    finding("4.6", "A notice says what to do if it was not the user", kept, why)
}

fn example() -> Option<Notice> {
    let device = DeviceName::parse("laptop").ok()?;
    Some(Notice {
        id: landfall_identity::id::NoticeId::from_bits([0; 16]),
        tenant: TenantName::parse("home").ok()?,
        user: UserName::parse("bert").ok()?,
        at: Timestamp::from_millis(0),
        what: Happening::RecoveryCompleted { device: device.clone() },
        by: By::Recovery { device },
        source: None,
    })
}

fn loss_report() -> Finding {
    let one_factor = Action::SuspendDevice.demand().binding == Binding::Unbound;
    let freeze = Action::FreezeAccount.demand().entry == Entry::Session(AuthStrength::CertOnly);
    let why = "one passkey suspends a device; any device, and the link in a mailed notice, stops \
               everything";
    finding("4.3", "A loss is reported with one factor", one_factor && freeze, why)
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.findings.iter().filter(|finding| finding.kept).count();
        writeln!(
            f,
            "NIST SP 800-63B-4, section 4, by this configuration: {kept} of {} rules are kept.\n",
            self.findings.len()
        )?;
        for Finding { section, rule, kept, why } in &self.findings {
            let verdict = if *kept { "kept    " } else { "NOT KEPT" };
            writeln!(f, "{verdict}  {section:<8} {rule}\n                   {why}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PlanChoice, SmtpUrl};
    use landfall_identity::recovery::Preset;

    fn kept(config: &Config, rule: &str) -> bool {
        let statement = statement(config);
        let found = statement.findings.iter().find(|finding| finding.rule.contains(rule));
        found.unwrap_or_else(|| panic!("there is no rule about {rule}")).kept
    }

    /// Each setting that a rule rests on, and the rule that flips with it.
    #[test]
    fn the_statement_flips_when_a_setting_is_flipped() {
        let usual = Config::local("/nowhere");
        assert!(kept(&usual, "ten minutes at most"));
        let longer = Config { device_token_ttl_max_seconds: 601, ..usual.clone() };
        assert!(!kept(&longer, "ten minutes at most"));

        let smtp_url = Some(SmtpUrl::parse("smtps://mail.example.org").unwrap());
        let mails = Config { smtp_url, ..usual.clone() };
        for rule in [
            "Every recovery is notified",
            "each new authenticator",
            "New saved codes",
            "Two addresses",
        ] {
            assert!(!kept(&usual, rule), "{rule}");
            assert!(kept(&mails, rule), "{rule}");
        }

        let code = Plan::one(Door::RecoveryCode);
        let waits = Plan::waiting(Seconds::hours(72), code);
        let plan = Plan::AnyOf(vec![Plan::one(Door::Device), waits]);
        let patient = Config { recovery_plan: PlanChoice::Own(plan), ..usual.clone() };
        patient.check().unwrap();
        for rule in ["Time stands in", "takes two codes"] {
            assert!(kept(&usual, rule), "{rule}");
            assert!(!kept(&patient, rule), "{rule}");
        }
        // Two guardians are two people and one kind of proof: NIST's letter wants two kinds.
        let personal = Config { recovery_plan: Preset::Personal.into(), ..usual.clone() };
        assert!(!kept(&personal, "takes two codes"));
    }

    #[test]
    fn what_is_not_kept_says_what_to_change_and_it_fits_a_page() {
        let longer = Config { device_token_ttl_max_seconds: 601, ..Config::local("/nowhere") };
        let page = statement(&longer).to_string();
        assert!(page.contains("NOT KEPT  4.1.2.2") && page.contains("set it to 600"), "{page}");
        assert!(page.lines().count() <= 60, "{}", page.lines().count());
    }
}
