//! `admin policy`.

use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

/// Which rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyPart {
    /// What this tenant adds
    Own,
    /// What no rule takes away
    Floors,
    /// What the server ships
    Shipped,
    /// What rules may speak of
    Schema,
}

#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// The rules in force, in Cedar
    #[command(
        after_help = "Examples:\n  landfall admin policy show\n  landfall admin policy show floors\n  landfall admin policy show schema"
    )]
    Show {
        /// Which of them
        #[arg(value_enum, default_value = "own")]
        part: PolicyPart,
    },
    /// Whether a file holds rules that could be set
    #[command(after_help = "Example:\n  landfall admin policy check rules.cedar")]
    Check {
        /// The file
        file: PathBuf,
    },
    /// What the rules of a file would change, of what was asked lately; sets nothing
    #[command(after_help = "Example:\n  landfall admin policy try rules.cedar")]
    Try {
        /// The file
        file: PathBuf,
    },
    /// Set the rules of a file, in the place of all that this tenant has; takes a touch for exactly these
    #[command(after_help = "Example:\n  landfall admin policy set rules.cedar")]
    Set {
        /// The file; an empty one takes all rules away
        file: PathBuf,
    },
}
