//! Waits, guardians, and what follows a recovery, in words.

use super::Happening;

/// As [`Happening`] has it; nothing for what is not of this kind.
pub(super) fn sentence(what: &Happening) -> String {
    match what {
        Happening::DeviceToBeRevoked { device } => format!(
            "The device {device} was cut off in a recovery of your account; after 24 hours it is cut off for \
             ever, unless you let it work again before; this was begun"
        ),
        Happening::WaitBegun { device, days } => format!(
            "A machine that would be your device {device} waits to be let into your account; after {days} \
             days it is, unless you say no; this was asked for"
        ),
        Happening::WaitHalf { device } => format!(
            "Half of the time is over after which a machine is let into your account as {device}, unless you \
             say no; this was asked for"
        ),
        Happening::WaitEnds { device } => format!(
            "In 24 hours a machine is let into your account as {device}, unless you say no; this was asked for"
        ),
        Happening::WaitContested { device } => format!(
            "More than one machine waits to be let into your account, or you said no more than once; {device} \
             is not let in by time alone any more, an administrator has to decide; this came about"
        ),
        Happening::WaitingAllowed => {
            "From now on a recovery code and some days without a no from you let a machine into your account; \
             this was allowed"
                .to_owned()
        }
        Happening::WaitingForbidden => {
            "Waiting lets no machine into your account any more; this was decided".to_owned()
        }
        _ => String::new(),
    }
}

/// As [`sentence`], of guardians.
pub(super) fn of_guardians(what: &Happening) -> String {
    match what {
        Happening::GuardianNamed { guardian } => {
            format!("{guardian} was chosen as one of your guardians")
        }
        Happening::GuardianAccepted { guardian } => {
            format!("{guardian} accepted to be one of your guardians")
        }
        Happening::GuardianRemoved { guardian } => {
            format!("{guardian} is no longer one of your guardians; this was done")
        }
        Happening::GuardianLeft { guardian } => {
            format!("{guardian} will not be one of your guardians; this was said")
        }
        Happening::WardAsks { ward } => format!(
            "{ward} wants you to vouch for them if they lose all their devices; you were asked"
        ),
        _ => String::new(),
    }
}

/// What to do about it, where it is more than for anything else.
pub(super) fn advice(what: &Happening, stop: &str) -> Option<String> {
    match what {
        Happening::WaitBegun { .. } | Happening::WaitHalf { .. } | Happening::WaitEnds { .. } => Some(format!(
            "If this is you on a new machine, there is nothing to do but wait.\n\nIf it is not you, say no, on \
             any of your devices and with your passkey:\n\n  landfall recovery list\n  landfall recovery \
             stop ID\n\nWithout a passkey at hand, ask your administrator to, or {stop}"
        )),
        Happening::WaitContested { .. } => Some(
            "If one of them is you, call your administrator, who lets you in. If none is you, say no, on any of \
             your devices and with your passkey:\n\n  landfall recovery list\n  landfall recovery stop \
             ID\n"
                .to_owned(),
        ),
        Happening::DeviceToBeRevoked { device } => Some(format!(
            "If this was you, there is nothing to do.\n\nIf the device is not lost after all, let it work again \
             within 24 hours, with your passkey:\n\n  landfall device resume {device}\n\nIf it was not you, \
             {stop}\nThe ways back in stay open.\n"
        )),
        Happening::WardAsks { .. } => Some(
            "If you know them and want to, accept it with your passkey; nothing happens if you do not:\n\n  \
             landfall recovery wards list\n  landfall recovery wards accept NAME\n\nIf they ever call you \
             for it, make sure that it is really them before you vouch.\n"
                .to_owned(),
        ),
        Happening::RulesChanged => Some(
            "They say who may do what. Look at them, and ask whoever set them if you did not know:\n\n  landfall \
             admin policy show\n\nAs an administrator you can always set others.\n"
                .to_owned(),
        ),
        Happening::AdminAdded { user } => Some(format!(
            "If you did not know of it, ask whoever did it, and look at who the administrators are:\n\n  landfall admin \
             users\n\nSomebody who should not be one has the role taken, or is stopped:\n\n  landfall admin role set \
             {user} member\n  landfall admin freeze {user}\n"
        )),
        Happening::BreakGlass { user } => Some(format!(
            "Whoever uses it within the hour is {user} on a new device. If you did not know of it, ask whoever runs the \
             server, at once. What comes of it you see with:\n\n  landfall admin users\n  landfall admin devices \
             --user {user}\n"
        )),
        _ => None,
    }
}

/// The sentences of what is handed out, and lets in whoever holds it.
pub(super) fn of_handed_out(what: &Happening) -> String {
    match what {
        Happening::BreakGlass { user } => {
            format!("An emergency code to come in as the administrator {user} was made")
        }
        Happening::MachineClaimed { machine } => {
            format!("The key handed out for the machine {machine} was used up")
        }
        other => other.title(),
    }
}

/// The sentences of what happened with agents.
pub(super) fn of_agents(what: &Happening) -> String {
    match what {
        Happening::AgentEnrolled { agent } => {
            format!("The agent {} acts for you from now on", agent.local())
        }
        Happening::AgentRevoked { agent } => {
            format!("The agent {} was cut off for ever", agent.local())
        }
        other => other.title(),
    }
}
