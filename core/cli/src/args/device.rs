//! What can be typed about one's devices.

use super::{ProvisionArgs, duration};
use clap::Subcommand;
use landfall_client::words::{DeviceName, Label, Seconds};
use landfall_protocol::At;

#[derive(Debug, Subcommand)]
pub enum DeviceVerb {
    /// Make a code for another machine of yours
    #[command(
        after_help = "Examples:\n  landfall device add bert-new\n  landfall device add bert-new --ttl 5m --json"
    )]
    Add {
        /// The new machine's name; it stays for ever
        name: DeviceName,
        /// How long the code can be used: 90s, 10m, 2h
        #[arg(long, value_parser = duration)]
        ttl: Option<Seconds>,
    },
    /// Let a machine in that is in front of you and runs `landfall link`
    #[command(
        after_help = "Type the eight characters that it shows, or what its picture holds. Left out, they are asked for,\nand you see what to type there.\n\nExamples:\n  landfall device link\n  landfall device link 4K7M-9QXA"
    )]
    Link {
        /// What the new machine shows: eight characters, or the text of its picture
        #[arg(value_name = "CODE")]
        shown: Option<String>,
    },
    /// Have a key made for a machine that nobody sits at; operators and administrators
    #[command(
        after_help = "Writes a sealed file, and prints the words that open it, once. Send them on another way than the file.\n\nExamples:\n  landfall device provision build-7 --role server\n  landfall device provision build-7 --role releaser --words 8 --expires 12h\n  landfall device provision build-7 --file /media/stick/build-7.age"
    )]
    Provision(ProvisionArgs),
    /// Your devices
    #[command(after_help = "Example:\n  landfall device list")]
    List,
    /// Change what a device is called
    #[command(after_help = "Example:\n  landfall device rename bert-laptop \"Bert's blue laptop\"")]
    Rename {
        /// Its name
        name: DeviceName,
        /// What you call it now
        label: Label,
    },
    /// Cut a device off for now
    #[command(
        after_help = "It asks first when that is the machine that you sit at.\n\nExample:\n  landfall device suspend bert-laptop"
    )]
    Suspend {
        /// Its name
        name: DeviceName,
    },
    /// Let a suspended device work again
    #[command(after_help = "Example:\n  landfall device resume bert-laptop")]
    Resume {
        /// Its name
        name: DeviceName,
    },
    /// Cut a device off for ever
    #[command(after_help = "Example:\n  landfall device revoke bert-laptop")]
    Revoke {
        /// Its name
        name: DeviceName,
    },
    /// What a lost device did, and what to change now: secrets read, sessions, codes made
    #[command(
        after_help = "The list of secrets to change comes first, the oldest value on top.\n\nExamples:\n  landfall device review bert-laptop\n  landfall device review bert-laptop --since 2026-11-21T14:00:00Z"
    )]
    Review {
        /// Its name
        name: DeviceName,
        /// Only since this time, when you last had it in hand
        #[arg(long, value_name = "TIME", value_parser = time)]
        since: Option<At>,
        /// How many acts: 1 to 200
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Go on after a page: the `next` that it ended with
        #[arg(long, value_name = "NEXT")]
        after: Option<String>,
    },
    /// This device is lost: cut it off at once, then for ever if that is allowed yet
    #[command(after_help = "Example:\n  landfall device lost bert-laptop")]
    Lost {
        /// Its name
        name: DeviceName,
    },
}

/// A time, as every list takes it.
pub fn time(text: &str) -> Result<At, String> {
    At::parse(text).ok_or_else(|| {
        "write date, time and time zone, like 2026-11-21T14:00:00Z or 2026-11-21T15:00:00+01:00"
            .to_owned()
    })
}
