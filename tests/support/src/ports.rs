//! Ports that a server of a story finds free again after a stop.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below those that Linux hands to outgoing connections (from 32768 on): *while a server is stopped, somebody's
/// connection could take one of these.*
const QUIET: std::ops::Range<u32> = 12_000..32_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// An address of this machine on which nothing listens.
///
/// # Errors
/// When all are taken.
pub fn quiet_address() -> std::io::Result<SocketAddr> {
    let span = QUIET.end - QUIET.start;
    // Each process begins elsewhere.
    let from = std::process::id().wrapping_mul(7_919);
    for _ in 0..span {
        let place = from.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % span;
        let port = u16::try_from(QUIET.start + place).unwrap_or(u16::MAX);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(std::io::ErrorKind::AddrInUse.into())
}
