//! What can be typed about passkeys.

use super::{attachment, listed};
use clap::Subcommand;
use landfall_client::words::{Attachment, Label, PasskeyId};

#[derive(Debug, Subcommand)]
pub enum WebauthnVerb {
    /// Register a passkey
    #[command(
        after_help = "Examples:\n  landfall webauthn register\n  landfall webauthn register --type roaming --label \"blue key\"\n  landfall webauthn register --roaming-authenticator --label \"blue key\""
    )]
    Register {
        /// In this machine, or in a key that you carry
        #[arg(long = "type", value_name = "platform|roaming", value_parser = attachment, default_value = "platform")]
        attachment: Attachment,
        /// In a key that you carry, so that it alone gets you back in on a bare machine
        #[arg(long, conflicts_with = "attachment")]
        roaming_authenticator: bool,
        /// What you call it
        #[arg(long)]
        label: Option<Label>,
    },
    /// Your passkeys
    #[command(after_help = "Example:\n  landfall webauthn list")]
    List,
    /// Change what a passkey is called
    #[command(
        after_help = "Example:\n  landfall webauthn rename 00000000000000000000000000 \"blue key\""
    )]
    Rename {
        /// Its name, from `landfall webauthn list`
        #[arg(value_parser = listed::<PasskeyId>)]
        id: PasskeyId,
        /// What you call it now
        label: Label,
    },
    /// Bind a key that you carry to this machine: it proves that it is here
    #[command(after_help = "Example:\n  landfall webauthn bind 00000000000000000000000000")]
    Bind {
        /// Its name, from `landfall webauthn list`
        #[arg(value_parser = listed::<PasskeyId>)]
        id: PasskeyId,
    },
    /// Remove a passkey
    #[command(after_help = "Example:\n  landfall webauthn remove 00000000000000000000000000")]
    Remove {
        /// Its name, from `landfall webauthn list`
        #[arg(value_parser = listed::<PasskeyId>)]
        id: PasskeyId,
    },
}
