//! What can be typed about machines that stand for themselves.

use super::{duration, listed};
use clap::{Args as ClapArgs, Subcommand};
use landfall_client::words::{DeviceName, EnrollmentId, MachineRole, Seconds, UserName};
use std::path::PathBuf;

#[derive(Debug, ClapArgs)]
pub struct ProvisionArgs {
    /// The machine's name; it stays for ever
    pub name: DeviceName,
    /// What a new machine stands for, such as server; left out: one more key for a machine that is there
    #[arg(long)]
    pub role: Option<MachineRole>,
    /// How many words open the file: 4 to 12
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(4..=12))]
    pub words: u8,
    /// How long the key can be used: 12h, 7d
    #[arg(long, value_name = "SPAN", value_parser = duration, default_value = "7d")]
    pub expires: Seconds,
    /// Where the file goes; NAME.age here when left out
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum ProvisionedVerb {
    /// Machines that stand for themselves, and their keys
    #[command(after_help = "Example:\n  landfall admin provisioned list")]
    List,
    /// Agree that somebody else makes a key, where a role takes two people
    #[command(
        after_help = "Good for an hour and one key: of seven days at the most, and six words at the least.\n\nExample:\n  landfall admin provisioned approve build-7 --role releaser --by ana"
    )]
    Approve {
        /// The machine's name
        name: DeviceName,
        /// What it stands for
        #[arg(long)]
        role: MachineRole,
        /// Who makes the key
        #[arg(long, value_name = "USER")]
        by: UserName,
    },
    /// Cut one key of a machine off for now
    #[command(
        after_help = "Example:\n  landfall admin provisioned disable 00000000000000000000000000"
    )]
    Disable {
        /// The key, from `landfall admin provisioned list`
        #[arg(value_parser = listed::<EnrollmentId>)]
        key: EnrollmentId,
    },
    /// Let a disabled key work again
    #[command(
        after_help = "Example:\n  landfall admin provisioned enable 00000000000000000000000000"
    )]
    Enable {
        /// The key, from `landfall admin provisioned list`
        #[arg(value_parser = listed::<EnrollmentId>)]
        key: EnrollmentId,
    },
    /// Cut a machine off for now, with all its keys
    #[command(after_help = "Example:\n  landfall admin provisioned suspend build-7")]
    Suspend {
        /// Its name
        name: DeviceName,
    },
    /// Let a suspended machine work again
    #[command(after_help = "Example:\n  landfall admin provisioned resume build-7")]
    Resume {
        /// Its name
        name: DeviceName,
    },
    /// Cut a machine off for ever
    #[command(after_help = "Example:\n  landfall admin provisioned revoke build-7")]
    Revoke {
        /// Its name
        name: DeviceName,
    },
}
