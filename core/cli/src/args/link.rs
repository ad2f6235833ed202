//! What can be typed on a machine that another one lets in.

use super::recovery::server_line;
use clap::Args as ClapArgs;
use landfall_client::words::{DeviceName, Label, ServerLine, UserName};

#[derive(Debug, Clone, ClapArgs)]
pub struct LinkArgs {
    /// The server's line, as `landfall server` or `landfall device link` shows it on the other device
    #[arg(long, value_name = "LINE", value_parser = server_line)]
    pub server: Option<ServerLine>,
    /// Your user name
    #[arg(long)]
    pub user: Option<UserName>,
    /// This machine's name; it stays for ever
    #[arg(long)]
    pub device: Option<DeviceName>,
    /// What you call this machine ("Bert's blue laptop")
    #[arg(long)]
    pub label: Option<Label>,
    /// Begin anew, although a link is under way on this machine
    #[arg(long)]
    pub anew: bool,
    /// Replace the identity that this machine has on that server
    #[arg(long)]
    pub replace: bool,
}
