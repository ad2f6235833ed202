//! What can be typed about agents.

use super::recovery::server_line;
use super::{duration, listed};
use clap::Subcommand;
use landfall_client::words::{
    AgentCodeId, AgentId, ApprovalId, Reason, Seconds, ServerLine, UserName,
};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum AgentVerb {
    /// Your agents, and the parts that they have made
    #[command(after_help = "Examples:\n  landfall agent list\n  landfall agent list --admin")]
    List {
        /// Everybody's, and nobody's, as an administrator
        #[arg(long)]
        admin: bool,
    },
    /// Codes for agents that you have made
    #[command(after_help = "Example:\n  landfall agent codes")]
    Codes,
    /// Withdraw a code for an agent
    #[command(after_help = "Example:\n  landfall agent cancel 00000000000000000000000000")]
    Cancel {
        /// Its name, from `landfall agent codes`
        #[arg(value_parser = listed::<AgentCodeId>)]
        id: AgentCodeId,
    },
    /// Make a code that lets one agent act for you; takes your passkey
    #[command(
        after_help = "The agent shows it once, in the field that its client has for whatever a provider wants.\n\nExamples:\n  landfall agent link\n  landfall agent link --name research --ttl 30m"
    )]
    Link {
        /// What the agent will be called: a-z, 0-9, '-', '_' and '.'
        #[arg(long, value_parser = agent_name)]
        name: Option<String>,
        /// How long the code can be used, such as 30m; ten minutes unless said otherwise
        #[arg(long, value_name = "TIME", value_parser = duration)]
        ttl: Option<Seconds>,
    },
    /// Let an agent in that shows a code, after comparing six digits; takes your passkey
    #[command(after_help = "Examples:\n  landfall agent pair\n  landfall agent pair 4K7M-9QXA")]
    Pair {
        /// The eight characters that the agent shows (asked for when left out)
        #[arg(value_name = "CODE")]
        shown: Option<String>,
    },
    /// What your agents have asked you for
    #[command(after_help = "Example:\n  landfall agent approvals")]
    Approvals,
    /// Allow an agent what it asks for, for an hour; takes your passkey
    #[command(after_help = "Example:\n  landfall agent allow 00000000000000000000000000")]
    Allow {
        /// Its name, from `landfall agent approvals`
        #[arg(value_parser = listed::<ApprovalId>)]
        id: ApprovalId,
    },
    /// Say no to what an agent asks for
    #[command(after_help = "Example:\n  landfall agent deny 00000000000000000000000000")]
    Deny {
        /// Its name, from `landfall agent approvals`
        #[arg(value_parser = listed::<ApprovalId>)]
        id: ApprovalId,
    },
    /// Cut an agent off for ever, and its parts with it; takes your passkey
    #[command(after_help = "Example:\n  landfall agent revoke aauth:research@agents.example.org")]
    Revoke {
        /// Its name, from `landfall agent list`
        #[arg(value_parser = agent_id)]
        agent: AgentId,
        /// Anybody's, as an administrator
        #[arg(long)]
        admin: bool,
    },
    /// Make this machine's agent: with a code, or side by side with a device of its owner
    #[command(
        after_help = "The key is made here and stays here. With --user it shows a code to type on a device of that\nuser (`landfall agent pair`), then six digits that both must show.\n\nExamples:\n  landfall agent enroll research --server https://id.example.org\n  landfall agent enroll research --server https://id.example.org --user bert"
    )]
    Enroll {
        /// What it is called on this machine, and everywhere where a device of its owner lets it in
        name: String,
        /// The server's line, as `landfall server` prints it on a device of its owner
        #[arg(long, value_name = "LINE", value_parser = server_line)]
        server: ServerLine,
        /// Its owner: asks to be let in by one of their devices, instead of with a code
        #[arg(long)]
        user: Option<UserName>,
        /// What its owner reads beside its name
        #[arg(long)]
        label: Option<String>,
    },
    /// The agents of this machine
    #[command(after_help = "Example:\n  landfall agent here")]
    Here,
    /// Take an agent off this machine: its key is destroyed, and its name is free again
    #[command(
        after_help = "Its owner sees it in `landfall agent list` until they revoke it.\n\nExample:\n  landfall agent forget research"
    )]
    Forget {
        /// What it is called on this machine
        name: String,
    },
    /// Print a new token of this machine's agent
    #[command(after_help = "Examples:\n  landfall agent token\n  landfall agent token research")]
    Token {
        /// What it is called on this machine; the only one when left out
        name: Option<String>,
    },
    /// Print a capability of this machine's agent: what it may do, and where
    #[command(
        after_help = "With --ask its owner is asked for what it may not do yet.\n\nExamples:\n  landfall agent capability --scope read --at https://calendar.example.org\n  landfall agent capability --scope read --scope write --at https://calendar.example.org --ask"
    )]
    Capability {
        /// What it wants to do
        #[arg(long, required = true, value_name = "WORD")]
        scope: Vec<String>,
        /// Where
        #[arg(long, required = true, value_name = "PLACE")]
        at: Vec<String>,
        /// For how long, such as 10m; an hour at most
        #[arg(long, value_name = "TIME", value_parser = duration)]
        ttl: Option<Seconds>,
        /// Ask its owner, where it may not
        #[arg(long)]
        ask: bool,
        /// Why, in words that its owner reads
        #[arg(long, requires = "ask")]
        reason: Option<Reason>,
        /// What the agent is called on this machine; the only one when left out
        #[arg(long)]
        name: Option<String>,
    },
    /// Print the header fields that sign a request as this machine's agent
    #[command(
        after_help = "Examples:\n  landfall agent sign GET https://service.example.org/items\n  landfall agent sign POST https://service.example.org/items --body request.json"
    )]
    Sign {
        /// The method, in upper case
        #[arg(value_parser = method)]
        method: String,
        /// The address
        url: String,
        /// The body, which is JSON
        #[arg(long, value_name = "FILE")]
        body: Option<PathBuf>,
        /// What the agent is called on this machine; the only one when left out
        #[arg(long)]
        name: Option<String>,
    },
}

/// Said before a touch is asked for.
fn agent_name(text: &str) -> Result<String, String> {
    let id = AgentId::new(text, "agents.example.org").map_err(|error| error.to_string())?;
    if id.is_sub_agent() {
        return Err("a name with + belongs to a part, which its agent asks for".to_owned());
    }
    id.segments().map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

/// *A program sends what it was told to send:* `get` would be signed, and no server has such a method.
fn method(text: &str) -> Result<String, String> {
    let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
    match !text.is_empty() && text.bytes().all(is_upper) {
        true => Ok(text.to_owned()),
        false => Err("a method is a word in upper case, such as GET".to_owned()),
    }
}

fn agent_id(text: &str) -> Result<AgentId, String> {
    AgentId::parse(text).map_err(|error| error.to_string())
}
