//! Tokens by the hundred thousand, written straight into the database.
//!
//! Minting one takes a person's touch, which is not what is measured here; redeeming one is. So the
//! rows are made as the server would make them, and everything from there on goes through the door.

use crate::server::Server;
use crate::work;
use anyhow::Result;
use landfall_crypto::ambient::Ambient;
use landfall_crypto::door::DoorSecret;
use landfall_identity::id::TokenId;
use landfall_identity::token::DEVICE_TTL_MAX;
use rusqlite::{Connection, params};
use std::path::Path;
use std::time::Duration;

/// The server's database, in its data directory.
const DATABASE: &str = "landfall.db";

/// What one client needs to enrol one device.
pub struct Door {
    /// The token's public name.
    pub id: TokenId,
    /// The half that authorises.
    pub auth: String,
}

/// Claims the server for the user `bench`, and makes `count` device tokens of that user.
pub async fn tokens(data: &Path, server: &Server, count: usize) -> Result<Vec<Door>> {
    work::claim(server).await?;
    let ambient = Ambient::system();
    let now = ambient.now();
    let tenant = server.claim.payload.tenant.as_str();
    let mut database = Connection::open(data.join(DATABASE))?;
    database.busy_timeout(Duration::from_secs(10))?;
    let all = database.transaction()?;
    let mut doors = Vec::with_capacity(count);
    for number in 0..count {
        let secret = DoorSecret::generate(ambient.random.as_ref());
        let door = Door {
            id: TokenId::from_bits(ambient.random()),
            auth: secret.auth().to_text().to_string(),
        };
        all.prepare_cached(
            "INSERT INTO tokens (id, tenant, kind, user_name, device, role, auth_hash, state, \
             issued_at, expires_at) \
             VALUES (?1, ?2, 'device', 'bench', ?3, 'member', ?4, 'issued', ?5, ?6)",
        )?
        .execute(params![
            door.id.as_str(),
            tenant,
            format!("bench-{number}"),
            secret.auth().hash().as_bytes().as_slice(),
            now.millis(),
            (now + DEVICE_TTL_MAX).millis(),
        ])?;
        doors.push(door);
    }
    all.commit()?;
    Ok(doors)
}
