//! What a bare Debian or Ubuntu lacks, found and installed.
//!
//! Rust and Node are taken for granted (with a C linker, without which Rust itself builds nothing).
//! Each command asks for the groups it needs; nothing is installed that is already there, and
//! everything is named, with its reason, before it is.

use crate::sh;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How we tell that something is there.
enum Found {
    /// One of these programs is on the search path.
    Program(&'static [&'static str]),
    /// `pkg-config` knows the library.
    Library(&'static str),
    /// The file exists.
    File(&'static str),
    /// Clang's library is where its versions live.
    Libclang,
}

/// Something that Debian packages.
struct Package {
    apt: &'static [&'static str],
    why: &'static str,
    found: Found,
}

/// A program that cargo installs from source. The version is fixed: the newest may be a preview.
struct Tool {
    program: &'static str,
    spec: &'static str,
    why: &'static str,
}

/// What a command may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// To compile and run the server and the CLI.
    Build,
    /// To compile the desktop app.
    Desktop,
    /// To build and test the UI.
    Node,
    /// To run the tests written in Rust.
    RustTests,
    /// To drive the ceremonies in Chromium.
    Browser,
    /// To drive the desktop window.
    Window,
    /// To check licences and sources.
    Licences,
}

const BUILD: &[Package] = &[
    Package {
        apt: &["gcc", "libc6-dev"],
        why: "links Rust, and compiles SQLite and AWS-LC",
        found: Found::Program(&["cc"]),
    },
    Package {
        apt: &["ca-certificates"],
        why: "lets a client check servers with public certificates",
        found: Found::File("/etc/ssl/certs/ca-certificates.crt"),
    },
    Package {
        apt: &["pkg-config"],
        why: "finds the libraries of the system",
        found: Found::Program(&["pkg-config"]),
    },
    Package {
        apt: &["libudev-dev"],
        why: "finds security keys that are plugged in",
        found: Found::Library("libudev"),
    },
    Package {
        apt: &["libclang-dev"],
        why: "reads the kernel's description of USB devices, for security keys",
        found: Found::Libclang,
    },
];
const DESKTOP: &[Package] = &[Package {
    apt: &["libwebkit2gtk-4.1-dev"],
    why: "the window that the desktop app draws in",
    found: Found::Library("webkit2gtk-4.1"),
}];
const RUST_TESTS: &[Package] = &[
    Package {
        apt: &["openssl"],
        why: "a second opinion on our certificates (`openssl verify`)",
        found: Found::Program(&["openssl"]),
    },
    Package {
        apt: &["poppler-utils"],
        why: "reads printed sheets of codes back, as they would lie on paper",
        found: Found::Program(&["pdftotext"]),
    },
    Package {
        apt: &["age"],
        why: "opens the files of machines' keys as anybody would",
        found: Found::Program(&["age"]),
    },
];
const BROWSER: &[Package] = &[
    Package {
        apt: &["chromium"],
        why: "does real passkey ceremonies on the real page",
        found: Found::Program(&["chromium", "chromium-browser", "google-chrome"]),
    },
    Package {
        apt: &["chromium-driver"],
        why: "drives Chromium in the tests",
        found: Found::Program(&["chromedriver"]),
    },
    Package {
        apt: &["libnss3-tools", "openssl"],
        why: "gives Chromium a client certificate of somebody else",
        found: Found::Program(&["certutil"]),
    },
];
const WINDOW: &[Package] = &[
    Package {
        apt: &["xvfb"],
        why: "a screen for the desktop window where there is none",
        found: Found::Program(&["Xvfb"]),
    },
    Package {
        apt: &["webkit2gtk-driver"],
        why: "drives the desktop window in the tests",
        found: Found::Program(&["WebKitWebDriver"]),
    },
    Package {
        apt: &["sqlite3"],
        why: "lets an hour pass in the tests of the window, in their server's database",
        found: Found::Program(&["sqlite3"]),
    },
];
const WINDOW_TOOL: Tool = Tool {
    program: "tauri-driver",
    spec: "tauri-driver@2.1.0",
    why: "connects the tests to the desktop window",
};
const LICENCES_TOOL: Tool = Tool {
    program: "cargo-deny",
    spec: "cargo-deny@0.19.9",
    why: "checks licences, duplicates and sources of every dependency",
};

/// The oldest Node that the UI is built and tested with.
const NODE_MAJOR: u32 = 20;

impl Group {
    fn packages(self) -> &'static [Package] {
        match self {
            Self::Build => BUILD,
            Self::Desktop => DESKTOP,
            Self::RustTests => RUST_TESTS,
            Self::Browser => BROWSER,
            Self::Window => WINDOW,
            Self::Node | Self::Licences => &[],
        }
    }

    fn tool(self) -> Option<&'static Tool> {
        match self {
            Self::Window => Some(&WINDOW_TOOL),
            Self::Licences => Some(&LICENCES_TOOL),
            _ => None,
        }
    }
}

impl Package {
    fn is_there(&self) -> bool {
        match self.found {
            Found::Program(names) => names.iter().any(|name| sh::which(name).is_some()),
            Found::Library(name) => sh::succeeds(&mut sh::cmd("pkg-config", ["--exists", name])),
            Found::File(path) => Path::new(path).exists(),
            Found::Libclang => has_libclang(),
        }
    }
}

/// Sees to it that everything in `groups` is there.
///
/// # Errors
/// Something is missing and cannot be installed; the message says what to do by hand.
pub fn ensure(groups: &[Group]) -> Result<()> {
    let missing: Vec<_> = groups
        .iter()
        .flat_map(|group| group.packages())
        .filter(|package| !package.is_there())
        .collect();
    apt_install(&missing)?;
    if groups.contains(&Group::Node) {
        node_is_new_enough()?;
    }
    for tool in groups.iter().filter_map(|group| group.tool()) {
        if cargo_program(tool.program).is_none() {
            println!("Installing {} ({}), from source.", tool.spec, tool.why);
            // Unoptimised: they run for seconds and would take minutes to optimise.
            let args = ["install", "--locked", "--quiet", "--debug", tool.spec];
            sh::run(sh::cargo(args).env("CARGO_PROFILE_DEV_DEBUG", "none"))?;
        }
    }
    Ok(())
}

/// Whether bindgen would find Clang's library: `libclang.so…` or `libclang-….so…`, in a folder of its
/// version or among the system's.
fn has_libclang() -> bool {
    let entries = |path: &Path| {
        std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path())
    };
    let versions = entries(Path::new("/usr/lib")).map(|path| path.join("lib"));
    let system = entries(Path::new("/usr/lib")).chain([PathBuf::from("/usr/lib64")]);
    versions.chain(system).any(|folder| {
        entries(&folder).any(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let rest = name.strip_prefix("libclang").unwrap_or_default();
            rest.starts_with(".so") || rest.starts_with('-') && !rest.starts_with("-cpp")
        })
    })
}

/// Where a program is that `cargo install` may have put somewhere off the search path.
pub fn cargo_program(program: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    sh::which(program)
        .or_else(|| home.map(|home| home.join("bin").join(program)).filter(|file| file.is_file()))
}

fn apt_install(missing: &[&Package]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    println!("This machine lacks:");
    for package in missing {
        println!("  {:<28} {}", package.apt.join(" "), package.why);
    }
    let names: Vec<_> = missing.iter().flat_map(|package| package.apt).copied().collect();
    let by_hand = format!("apt-get install --no-install-recommends {}", names.join(" "));
    if sh::which("apt-get").is_none() {
        bail!(
            "this is neither Debian nor Ubuntu. Install the equivalents of these with your own \
             package manager, then run this again:\n  {}",
            names.join(" ")
        );
    }
    let Some(elevate) = elevation() else {
        bail!("installing takes root and there is no sudo. As root, run:\n  {by_hand}");
    };
    println!("Installing them with apt-get{}.", if elevate.is_empty() { "" } else { " and sudo" });
    let update = apt(elevate, &["update", "--quiet=2"]);
    let mut install = vec!["install", "--yes", "--quiet=2", "--no-install-recommends"];
    install.extend(&names);
    [update, apt(elevate, &install)]
        .iter_mut()
        .try_for_each(sh::run)
        .with_context(|| format!("apt-get could not install everything. By hand:\n  {by_hand}"))?;
    match missing.iter().find(|package| !package.is_there()) {
        // Ubuntu ships Chromium as a snap: its package of that name may install nothing.
        Some(package) => bail!(
            "{} is still missing after its installation. On Ubuntu, Chromium is a snap: \
             `snap install chromium` brings it and its driver",
            package.apt.join(" ")
        ),
        None => Ok(()),
    }
}

/// What must stand before a command that takes root: nothing as root, else sudo if it is there.
fn elevation() -> Option<&'static [&'static str]> {
    let id = sh::output(&mut sh::cmd("id", ["-u"])).unwrap_or_default();
    if id.trim() == "0" { Some(&[]) } else { sh::which("sudo").map(|_| ["sudo"].as_slice()) }
}

fn apt(elevate: &[&str], args: &[&str]) -> Command {
    // `env` carries the variable through sudo, which clears the environment.
    let quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let mut words = elevate.iter().chain(&quiet).chain(args).copied();
    let program = words.next().unwrap_or("apt-get");
    sh::cmd(program, words)
}

fn node_is_new_enough() -> Result<()> {
    let said = sh::output(&mut sh::cmd("node", ["--version"]));
    let version = said.ok().unwrap_or_default();
    let major = version.trim().trim_start_matches('v').split('.').next().unwrap_or_default();
    match major.parse::<u32>() {
        Ok(major) if major >= NODE_MAJOR => Ok(()),
        Ok(_) => bail!(
            "the UI needs Node {NODE_MAJOR} or newer; this is {}. Take it from nodejs.org or your \
             distribution, then run this again",
            version.trim()
        ),
        Err(_) => bail!(
            "the UI needs Node {NODE_MAJOR} or newer, which is not here. Take it from nodejs.org \
             or your distribution, then run this again"
        ),
    }
}
