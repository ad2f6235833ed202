//! What the tests share: a browser without a screen, with passkeys of its own, and time and chance
//! that a test can hold in its hand.

pub mod agent;
pub mod ambient;
pub mod bare;
pub mod browser;
pub mod forge;
pub mod hook;
pub mod keys;
pub mod link;
pub mod platform;
pub mod ports;
pub mod raw;
pub mod routes;
#[allow(clippy::expect_used, clippy::panic, reason = "what no test needs ends the test")]
pub mod security_key;
pub mod smtp;
pub mod world;

pub use agent::{Forged, SoftAgent, Through};
pub use ambient::{SeededRandom, still_ambient};
pub use bare::Bare;
pub use browser::{Arrived, SoftBrowser};
pub use forge::Forge;
pub use hook::{Called, HookServer};
pub use keys::SoftKeys;
pub use platform::{PlatformServer, TokenKey};
pub use raw::{Answer, Raw, Silent};
pub use routes::readable_body;
pub use smtp::{Mail, Protection, SmtpServer};
pub use world::{Machine, Person, PocketKey, World};
