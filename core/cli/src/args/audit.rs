//! `audit`.

use super::device::time;
use clap::{Args as ClapArgs, Subcommand};
use landfall_protocol::At;
use landfall_protocol::audit_export::AuditFormat;
use std::path::PathBuf;

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditArgs {
    /// The whole tenant's, not only yours; administrators and auditors
    #[arg(long)]
    pub tenant: bool,
    #[command(flatten)]
    pub filter: AuditFilterArgs,
    #[command(subcommand)]
    pub act: Option<AuditVerb>,
}

/// Which rows, and how they are printed.
#[derive(Debug, ClapArgs)]
pub struct AuditFilterArgs {
    /// Only this user's
    #[arg(long)]
    pub user: Option<String>,
    /// Only this device's
    #[arg(long)]
    pub device: Option<String>,
    /// Only of whose SPIFFE ID begins with this, such as spiffe://example.org/tenant/home/workload
    #[arg(long, value_name = "PREFIX")]
    pub actor: Option<String>,
    /// Only of whose SPIFFE ID begins with this, or who acts on their behalf
    #[arg(long, value_name = "PREFIX")]
    pub behalf: Option<String>,
    /// Only of this kind
    #[arg(long, value_parser = ["human", "provisioned-device", "workload", "agent", "stranger", "server"])]
    pub kind: Option<String>,
    /// Only this action's, such as read-secret
    #[arg(long)]
    pub action: Option<String>,
    /// Only with this outcome
    #[arg(long, value_parser = ["allow", "deny", "error"])]
    pub outcome: Option<String>,
    /// Only since this time, such as 2026-11-21T14:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<At>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<At>,
    /// How many rows: 1 to 200
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// Go on after a page: the `next` that it ended with
    #[arg(long, value_name = "NEXT")]
    pub after: Option<String>,
    /// All of them, one line each, for another system: jsonl, cef or ocsf
    #[arg(long, value_name = "FORM", value_parser = format, conflicts_with = "limit")]
    pub format: Option<AuditFormat>,
}

#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// What the log says of itself, signed: keep it elsewhere
    #[command(after_help = "Example:\n  landfall audit checkpoint")]
    Checkpoint,
    /// A proof that a row is in the log, to be kept or handed on
    #[command(
        after_help = "Examples:\n  landfall audit proof 4711\n  landfall audit proof 4711 --checkpoint checkpoint.json"
    )]
    Proof {
        /// The row's place: `seq` in the list
        seq: u64,
        /// In the log of this checkpoint, which you have kept
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// A proof that the log only grew since a checkpoint that you have kept
    #[command(after_help = "Example:\n  landfall audit growth --checkpoint checkpoint.json")]
    Growth {
        /// The checkpoint
        #[arg(long, value_name = "FILE")]
        checkpoint: PathBuf,
    },
    /// Check a proof with a checkpoint and the audit key; no server is asked
    #[command(
        after_help = "Example:\n  landfall audit verify proof.json --checkpoint checkpoint.json --key audit.pub"
    )]
    Verify {
        /// What `proof` or `growth` has printed
        proof: PathBuf,
        /// The checkpoint that you have kept
        #[arg(long, value_name = "FILE")]
        checkpoint: PathBuf,
        /// The server's public audit key (PEM), from whoever runs it
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
}

fn format(text: &str) -> Result<AuditFormat, String> {
    AuditFormat::parse(text).ok_or_else(|| "it is jsonl, cef or ocsf".to_owned())
}
