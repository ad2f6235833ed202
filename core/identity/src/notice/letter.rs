//! Notices as mails: plain text, no links to follow but the server's own, nothing that counts readers.

use super::{By, Happening, Notice};
use crate::address::MailAddress;
use crate::name::{DeviceName, UserName};
use crate::time::Seconds;

/// Notices that a summary names one by one; the rest is counted.
pub const NAMED_MAX: u32 = 10;

/// A mail, without its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// ASCII without control characters, at most 120 characters.
    pub subject: String,
    /// Lines that end in `\n`.
    pub body: String,
}

/// A notice with its time in words.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// What happened.
    pub notice: &'a Notice,
    /// When, as a text.
    pub at: &'a str,
}

/// The mail that tells of one notice. `server` is the address that people know; `link` freezes the
/// account from any browser, where there is one.
pub fn of_one(told: Told<'_>, server: &str, link: Option<&str>) -> Letter {
    let Told { notice, at } = told;
    let source = notice.source.as_deref().unwrap_or("unknown");
    let body = format!(
        "Hello {user},\n\n{text}\n\n  When    {at}\n  From    {source}\n  Server  {server}\n\n{advice}",
        user = notice.user,
        text = notice.text(),
        advice = advice(notice, link),
    );
    Letter { subject: format!("Landfall: {}", notice.what.title()), body }
}

/// The mail that tells of what happened again and again: `told` are the first of `count` notices.
pub fn of_more(
    user: &UserName,
    told: &[Told<'_>],
    count: u32,
    server: &str,
    link: Option<&str>,
) -> Letter {
    let mut lines: Vec<String> =
        told.iter().map(|Told { notice, at }| format!("  {at}  {}", notice.text())).collect();
    let named = u32::try_from(told.len()).unwrap_or(u32::MAX);
    if count > named {
        lines.push(format!("  and {} more of the same kind", count - named));
    }
    let advice = told.first().map(|told| advice(told.notice, link)).unwrap_or_default();
    let title = told.first().map(|told| told.notice.what.title()).unwrap_or_default();
    Letter {
        subject: format!("Landfall: {title} ({count} times more)"),
        body: format!(
            "Hello {user},\n\nwhat you were told of has happened {count} times more:\n\n{lines}\n\n  \
             Server  {server}\n\nAll of it: landfall notices\n\n{advice}",
            lines = lines.join("\n"),
        ),
    }
}

/// The mail that asks whether an address is the user's.
pub fn of_code(
    user: &UserName,
    address: &MailAddress,
    code: &str,
    ttl: Seconds,
    server: &str,
) -> Letter {
    let minutes = ttl.0 / 60;
    Letter {
        subject: "Landfall: your code to confirm this address".to_owned(),
        body: format!(
            "Hello,\n\nsomebody with the account {user} on {server} wants to get notices of that \
             account at {address}. If that is you, run this on your device within {minutes} \
             minutes:\n\n  landfall notices confirm {code}\n\nIf it is not you, there is nothing to do: \
             without the code this address gets no more mail.\n"
        ),
    }
}

/// Who asks for a code to get back into an account, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Whose account.
    pub user: &'a UserName,
    /// What the new machine would be called.
    pub device: &'a DeviceName,
    /// Where the request came from.
    pub source: &'a str,
    /// When it came, as a text.
    pub at: &'a str,
    /// Whether something else was proved before.
    pub proved: bool,
}

/// The mail that carries a code to get back in, and is itself the notice of it. `link` freezes the
/// account, where there is one.
pub fn of_recovery_code(
    asker: Asker<'_>,
    code: &str,
    ttl: Seconds,
    server: &str,
    link: Option<&str>,
) -> Letter {
    let Asker { user, device, source, at, proved } = asker;
    let minutes = ttl.0 / 60;
    let shown = match proved {
        true => "It has shown a recovery code of yours, or another proof, already.",
        false => "It has shown nothing else so far.",
    };
    Letter {
        subject: "Landfall: a code to get back into your account".to_owned(),
        body: format!(
            "Hello {user},\n\na machine that is none of your devices asks to get back into your account. It \
             would be called {device}. {shown} If you sit before it, type this code there:\n\n  {code}\n\nIt \
             works for {minutes} minutes, on that machine alone, and lets nobody in by itself.\n\n  \
             When    {at}\n  From    {source}\n  Server  {server}\n\nIf it is not you, tell nobody the code: \
             no administrator asks for it. Then {stop}",
            stop = stop(link),
        ),
    }
}

/// How to stop everything.
fn stop(link: Option<&str>) -> String {
    match link {
        Some(link) => format!(
            "stop everything of your account now. On any of your devices:\n\n  landfall freeze\n\nor \
             open this page and press its button. The link works once, for seven days, and for nothing \
             else:\n\n  {link}\n"
        ),
        None => {
            "stop everything of your account now, on any of your devices:\n\n  landfall freeze\n"
                .to_owned()
        }
    }
}

/// What to do next.
fn advice(notice: &Notice, link: Option<&str>) -> String {
    let (what, stop) = (&notice.what, stop(link));
    if let Some(advice) = super::waiting::advice(what, &stop) {
        return advice;
    }
    match what {
        Happening::AccountFrozen if matches!(notice.by, By::Administrator { .. } | By::Operator) => {
            "Nothing works on any of your devices now, and nothing that you hold gets you back in or ends it: only an \
             administrator does. Call one, on a number that you know already.\n"
                .to_owned()
        }
        Happening::AccountFrozen => {
            "Nothing works on any of your devices now. If this was you, end it when you are ready, with \
             your passkey:\n\n  landfall unfreeze\n\nIf it was not you, somebody else has one of your \
             devices in hand. Suspend that device with your passkey before you end the freeze, or ask \
             your administrator to. The ways back in stay open.\n"
                .to_owned()
        }
        Happening::AddressRemoved { .. } => format!(
            "If this was you, there is nothing to do: this is the last notice to this address.\n\nIf it \
             was not you, somebody may want to keep you from hearing of what comes next: {stop}\nThe ways \
             back in stay open. Then look at what else happened: landfall notices\n"
        ),
        _ => format!(
            "If this was you, there is nothing to do.\n\nIf it was not you, {stop}\nThe ways back in \
             stay open. Then cut off what is not yours, with your passkey, or ask your administrator \
             to.\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NoticeId;
    use crate::name::{DeviceName, Label, TenantName};
    use crate::time::Timestamp;

    fn notice(what: Happening) -> Notice {
        Notice {
            id: NoticeId::from_bits([1; 16]),
            tenant: TenantName::parse("home").unwrap(),
            user: UserName::parse("bert").unwrap(),
            at: Timestamp::from_seconds(0),
            what,
            by: By::Device { device: DeviceName::parse("phone").unwrap() },
            source: Some("192.0.2.7".into()),
        }
    }

    #[test]
    fn a_mail_says_what_when_where_and_what_to_do() {
        let label = Label::parse("in the pocket").unwrap();
        let notice = notice(Happening::PasskeyRemoved { label });
        let letter = of_one(Told { notice: &notice, at: "1970" }, "https://id.example.org", None);
        assert_eq!(letter.subject, "Landfall: Passkey removed");
        for part in ["Hello bert", "\u{201C}in the pocket\u{201D}", "by your device phone", "1970"]
        {
            assert!(letter.body.contains(part), "{part}: {}", letter.body);
        }
        for part in ["192.0.2.7", "https://id.example.org", "landfall freeze"] {
            assert!(letter.body.contains(part), "{part}: {}", letter.body);
        }
        assert!(letter.body.lines().all(|line| line.len() < 900), "a line fits SMTP");
    }

    #[test]
    fn a_code_says_who_asks_from_where_and_how_to_stop_it() {
        let (user, device) = (UserName::parse("bert").unwrap(), DeviceName::parse("new").unwrap());
        let asker =
            Asker { user: &user, device: &device, source: "192.0.2.7", at: "now", proved: true };
        let link = Some("https://s/notices/freeze#x");
        let letter = of_recovery_code(asker, "4K7M-9QXA", Seconds(1800), "https://s", link);
        for part in ["Hello bert", "called new.", "\n  4K7M-9QXA\n", "30 minutes", "192.0.2.7"] {
            assert!(letter.body.contains(part), "{part}: {}", letter.body);
        }
        assert!(letter.body.contains("freeze#x") && letter.body.contains("shown a recovery code"));
        assert!(!letter.subject.contains("4K7M"), "a locked screen shows subjects");
        let asker = Asker { proved: false, ..asker };
        let letter = of_recovery_code(asker, "4K7M-9QXA", Seconds(1800), "https://s", None);
        assert!(letter.body.contains("nothing else so far") && !letter.body.contains("link"));
    }

    #[test]
    fn a_summary_names_some_and_counts_the_rest() {
        let notice = notice(Happening::AccountUnfrozen);
        let told = [Told { notice: &notice, at: "now" }; 2];
        let letter = of_more(&notice.user, &told, 5, "https://s", None);
        assert!(letter.body.contains("5 times more") && letter.body.contains("and 3 more"));
        let whole =
            of_more(&notice.user, &told, 2, "https://s", Some("https://s/notices/freeze#x"));
        assert!(whole.body.contains("\n  https://s/notices/freeze#x\n"), "{}", whole.body);
        assert!(!whole.body.contains("more of the same"), "{}", whole.body);
    }
}
