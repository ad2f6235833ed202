//! What can be typed about notices.

use clap::{Args as ClapArgs, Subcommand};
use landfall_client::words::MailAddress;

#[derive(Debug, ClapArgs)]
pub struct NoticesArgs {
    /// How many: 1 to 200
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// Go on after a page: the `next` that it ended with
    #[arg(long, value_name = "NEXT")]
    pub after: Option<String>,
    #[command(subcommand)]
    pub act: Option<NoticesVerb>,
}

#[derive(Debug, Subcommand)]
pub enum NoticesVerb {
    /// Where notices are mailed to
    #[command(after_help = "Example:\n  landfall notices addresses")]
    Addresses,
    /// Have notices mailed to an address as well; it is mailed a code first
    #[command(after_help = "Example:\n  landfall notices add bert@example.org")]
    Add {
        /// The address
        address: MailAddress,
    },
    /// Prove an address with the code that was mailed to it
    #[command(
        after_help = "Examples:\n  landfall notices confirm XXXX-XXXX\n  landfall notices confirm XXXX-XXXX --address bert@example.org"
    )]
    Confirm {
        /// The code
        #[arg(value_name = "CODE")]
        mailed: String,
        /// Which address, when two wait
        #[arg(long)]
        address: Option<MailAddress>,
    },
    /// Have notices no longer mailed to an address, which is told so
    #[command(after_help = "Example:\n  landfall notices remove bert@example.org")]
    Remove {
        /// The address
        address: MailAddress,
    },
}
