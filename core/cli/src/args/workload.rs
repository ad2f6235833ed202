//! What can be typed where a pod or a CI job runs, and about the platforms whose word is taken for them.

use clap::Subcommand;
use landfall_client::words::IssuerName;
use std::path::PathBuf;

#[cfg(unix)]
pub use beside::{RunArgs, WorkloadVerb};

#[cfg(unix)]
mod beside {
    use crate::args::recovery::server_line;
    use clap::{Args as ClapArgs, Subcommand};
    use landfall_client::words::ServerLine;
    use std::ffi::OsString;
    use std::path::PathBuf;

    #[derive(Debug, Subcommand)]
    pub enum WorkloadVerb {
        /// Run a program and keep its SPIFFE identity fresh beside it
        #[command(
            after_help = "The program finds the SPIFFE Workload API at SPIFFE_ENDPOINT_SOCKET. It gets the signals that\nare sent here, and its exit code is the answer. Without a program the API is served until stopped.\n\nExamples:\n  landfall workload run --server https://id.example.org -- ./payments --port 8080\n  landfall workload run --server https://id.example.org --token-file token --socket run/spiffe.sock"
        )]
        Run(RunArgs),
    }

    #[derive(Debug, Clone, ClapArgs)]
    pub struct RunArgs {
        /// The server's line, as `landfall server` prints it on a machine that is enrolled
        #[arg(long, value_name = "LINE", env = "LANDFALL_SERVER", value_parser = server_line)]
        pub server: ServerLine,
        /// The file that the platform keeps its token in; read anew for each exchange
        #[arg(
            long,
            value_name = "FILE",
            env = "LANDFALL_TOKEN_FILE",
            default_value = "/var/run/secrets/landfall/token"
        )]
        pub token_file: PathBuf,
        /// The socket, in a folder that only you can enter; without it, one in a folder of its own
        #[arg(long, value_name = "PATH")]
        pub socket: Option<PathBuf>,
        /// The program and what it takes
        #[arg(last = true, value_name = "CMD")]
        pub program: Vec<OsString>,
    }
}

#[derive(Debug, Subcommand)]
pub enum AdminWorkloadsVerb {
    /// Which platforms there are
    #[command(after_help = "Example:\n  landfall admin workload-issuers list")]
    List,
    /// One more, from a JSON file; takes your passkey
    #[command(
        after_help = "The file holds what POST /admin/workload-issuers takes; docs/workloads.md shows some.\n\nExample:\n  landfall admin workload-issuers add cluster.json"
    )]
    Add {
        /// The file
        file: PathBuf,
    },
    /// One fewer; takes your passkey
    #[command(after_help = "Example:\n  landfall admin workload-issuers remove prod")]
    Remove {
        /// What it is called
        name: IssuerName,
    },
}
