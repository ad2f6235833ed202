//! What is said about agents.

use landfall_protocol::capability::ApprovalInfo;

pub const NO_AGENTS: &str =
    "You have no agents. `landfall agent link` makes a code that lets one act for you.";
pub const ASK_AGENT_CODE: &str = "The eight characters that the agent shows: ";
pub const ASK_AGENT_LINK_CODE: &str = "The code, beginning with lfa1. : ";
pub const AGENT_CODE_NEEDED: &str = "What lets an agent in is a code that begins with lfa1., which its owner makes: landfall agent link. Pipe it in, or type it in a terminal. With --user NAME there is no code: a device of that user lets the agent in.";
pub const AGENT_URL: &str = "Give the whole address, beginning with https://.";

pub fn agent_code_made(endpoint: &str, server: &str, until: &str) -> String {
    format!(
        "Whoever shows this code first is your agent from then on. It works once, until {until}, at\n  {endpoint}\n\
         or on a machine with landfall, which asks for it:\n  landfall agent enroll NAME --server {server}\n"
    )
}

pub fn agent_found(agent: &str, source: &str, at: &str) -> String {
    format!(
        "The agent {agent} asks to act for you, from {source}, since {at}.\nGo on only if you have started it yourself, just now."
    )
}

pub fn agent_code_shown(code: &str, user: &str) -> String {
    format!("On a device of {user}:\n\n  landfall agent pair {code}\n\nIt waits for ten minutes.")
}

pub fn agent_digits(digits: &str) -> String {
    let (first, second) = digits.split_at_checked(3).unwrap_or((digits, ""));
    format!("Type these six digits there, and only there:\n\n  {first} {second}\n")
}

pub fn agent_approved(agent: &str) -> String {
    format!("The agent {agent} acts for you from now on. `landfall agent list` shows it.")
}

pub fn agent_enrolled(agent: &str, name: &str) -> String {
    format!("This is {agent} now. `landfall agent token {name}` prints a token.")
}

pub const NO_AGENTS_HERE: &str =
    "This machine has no agents. `landfall agent enroll` makes one, with a code of its owner's.";

pub fn ask_forget_agent(agent: &str) -> String {
    format!("Destroy the key of {agent} on this machine? It cannot be made again.")
}

pub fn agent_forgotten(agent: &str) -> String {
    format!(
        "{agent} has no key on this machine any more. Its owner takes it out of their list: landfall agent revoke \
         {agent}."
    )
}

pub fn ask_forget_begun(name: &str) -> String {
    format!(
        "Give {name} up, and destroy its key? It was being let in, and what became of it was never heard."
    )
}

pub fn agent_begun_forgotten(name: &str) -> String {
    format!(
        "Nothing is left of {name} on this machine. If its owner sees it in `landfall agent list`, they take it out \
         with landfall agent revoke."
    )
}

pub fn ask_revoke_agent(agent: &str) -> String {
    format!("Cut {agent} off for ever, with everything that it has made?")
}

pub fn agent_revoked(agent: &str, parts: u32) -> String {
    let parts = match parts {
        0 => String::new(),
        1 => ", and a part of it".to_owned(),
        more => format!(", and {more} parts of it"),
    };
    format!("{agent} is cut off for ever{parts}. A token that it has may be shown until it ends.")
}

pub const NO_APPROVALS: &str = "None of your agents has asked you for anything.";
pub const NO_SUCH_APPROVAL: &str =
    "There is no such request of an agent of yours. `landfall agent approvals` lists them.";
pub const APPROVAL_REFUSED: &str = "The agent hears that you said no.";

/// What the agent may do by itself is left out of what is new.
pub fn approval_difference(approval: &ApprovalInfo) -> String {
    let reason = match &approval.reason {
        Some(reason) => format!("\nIt says: \"{reason}\""),
        None => String::new(),
    };
    format!(
        "{} wants to do this at {}:\n  {}\nWithout you it may not: {}{reason}",
        approval.agent,
        approval.audience.join(", "),
        approval.scope.join(", "),
        approval.missing.join(", "),
    )
}

pub fn approval_granted(agent: &str, until: &str) -> String {
    format!("{agent} may do that until {until}.")
}

pub fn approval_raised(id: &str) -> String {
    format!("Its owner is asked: landfall agent allow {id}")
}

/// What else stops with a device.
pub fn agents_stop(agents: u32) -> Option<String> {
    match agents {
        0 => None,
        1 => Some("An agent came in through it, and stops with it: landfall agent list".to_owned()),
        n => Some(format!("{n} agents came in through it, and stop with it: landfall agent list")),
    }
}
