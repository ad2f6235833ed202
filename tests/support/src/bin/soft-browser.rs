//! `soft-browser --keys FILE URL`: opens a ceremony page as a person's browser would. For
//! `landfall --browser`, in the demo and in tests.

use landfall_test_support::{Arrived, SoftBrowser, SoftKeys};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: soft-browser --keys FILE URL";

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks by printing")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [flag, file, url] = arguments.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if flag != "--keys" {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    match open(Path::new(file), url).await {
        Ok(Arrived::AtTheApp) => ExitCode::SUCCESS,
        Ok(Arrived::Showing(code)) => {
            println!("{code}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("soft-browser: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn open(file: &Path, url: &str) -> anyhow::Result<Arrived> {
    SoftBrowser::new(SoftKeys::kept_in(file)?)?.open(url).await
}
