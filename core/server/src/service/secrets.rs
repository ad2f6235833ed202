//! Managed secrets: encrypted by the server, indexed by user.

use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::Tx;
use crate::store::secrets::{self, NewVersion, Room, Secret, SecretKey, Version};
use data_encoding::BASE64;
use landfall_crypto::SecretBytes;
use landfall_identity::secret::{MANAGED_VALUE_MAX, SECRETS_PER_USER, SecretName, VERSIONS_KEPT};
use landfall_identity::spiffe::Principal;
use landfall_identity::{DeviceName, Refusal, Seconds, Timestamp};
use landfall_protocol::secret::{SecretInfo, SecretSetRequest, SecretValue, SecretVersionInfo};
use landfall_protocol::{At, Page, PageQuery};
use zeroize::Zeroizing;

/// A version younger than this is not pushed out by newer ones: who floods a secret with writes must
/// not be able to bury what was there yesterday.
const VERSION_REST: Seconds = Seconds::hours(24);
/// Names that one user may give in all, those of deleted secrets too: their counters stay, so that a
/// version number never means two values.
const NAMES_PER_USER: u64 = 10 * SECRETS_PER_USER;

impl Service {
    /// Writes a new version of a secret.
    ///
    /// # Errors
    /// [`Refusal::TooManySecrets`], [`Refusal::TooManyVersions`]; a value that is no base64 or too
    /// large.
    pub async fn set_secret(
        &self,
        request: RequestContext,
        body: SecretSetRequest,
    ) -> Result<SecretInfo, Failure> {
        let SecretSetRequest { name, value_base64 } = body;
        let value = decode(value_base64);
        let (pki, ambient) = (self.pki.clone(), self.ambient.clone());
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("secret {name}"));
            turn.authorize(tx, &turn.own()?, None).await?;
            let value = value.as_ref().map_err(|why| Failure::invalid("value_base64", *why))?;
            let key = key_of(turn, &name)?;
            let version = next_version(tx, turn, &key).await?;
            let context = key.envelope_context(version);
            let envelope = pki
                .master_key()
                .seal(&context, value.expose(), &*ambient.random)
                .map_err(Failure::internal)?;
            let by = device_of(turn)?;
            let size = value.expose().len() as u64;
            let new = NewVersion { version, envelope, size, at: turn.now, by };
            secrets::insert(tx, &key, new).await?;
            let written = secrets::load(tx, &key).await?;
            written.ok_or_else(|| Failure::internal("a version that was written is not there"))
        })
        .await
        .map(|secret| secret_info(&secret))
    }

    /// The newest version's value.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn get_secret(
        &self,
        request: RequestContext,
        name: SecretName,
    ) -> Result<SecretValue, Failure> {
        self.reveal(request, name, None).await
    }

    /// A version's value.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn get_secret_version(
        &self,
        request: RequestContext,
        name: SecretName,
        version: u64,
    ) -> Result<SecretValue, Failure> {
        self.reveal(request, name, Some(version)).await
    }

    async fn reveal(
        &self,
        request: RequestContext,
        name: SecretName,
        version: Option<u64>,
    ) -> Result<SecretValue, Failure> {
        let pki = self.pki.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(about(&name, version));
            turn.authorize(tx, &turn.own()?, None).await?;
            let key = key_of(turn, &name)?;
            let sealed = secrets::find(tx, &key, version).await?.ok_or(Refusal::NotFound)?;
            // Opened in here, so that the audit does not claim a read that failed.
            let context = key.envelope_context(sealed.version);
            let value =
                pki.master_key().open(&context, &sealed.envelope).map_err(Failure::internal)?;
            Ok(SecretValue {
                name: name.clone(),
                version: sealed.version,
                value_base64: BASE64.encode(value.expose()),
                written_at: At(sealed.written_at),
            })
        })
        .await
    }

    /// The caller's secrets, by name.
    ///
    /// # Errors
    /// A cursor that is not ours.
    pub async fn list_secrets(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<SecretInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let [after] = page::read_text_cursor::<1>(query.after.as_deref())?;
            let rows = secrets::list(tx, turn.tenant(), turn.user()?, &after, limit + 1).await?;
            let next = |secret: &Secret| page::text_cursor(&[secret.name.as_str()]);
            Ok(page::cut(rows, limit, next, secret_info))
        })
        .await
    }

    /// A secret's versions, newest first.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; a cursor that is not ours.
    pub async fn list_secret_versions(
        &self,
        request: RequestContext,
        name: SecretName,
        query: PageQuery,
    ) -> Result<Page<SecretVersionInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(about(&name, None));
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let below = version_cursor(query.after.as_deref())?;
            let key = key_of(turn, &name)?;
            let rows = secrets::versions(tx, &key, below, limit + 1).await?;
            if rows.is_empty() && secrets::count(tx, &key).await? == 0 {
                return Err(Refusal::NotFound.into());
            }
            let next = |version: &Version| page::text_cursor(&[&version.version.to_string()]);
            Ok(page::cut(rows, limit, next, version_info))
        })
        .await
    }

    /// Deletes one version.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn delete_secret_version(
        &self,
        request: RequestContext,
        name: SecretName,
        version: u64,
    ) -> Result<(), Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(about(&name, Some(version)));
            turn.authorize(tx, &turn.own()?, None).await?;
            let key = key_of(turn, &name)?;
            if secrets::find(tx, &key, Some(version)).await?.is_none() {
                return Err(Refusal::NotFound.into());
            }
            secrets::delete_version(tx, &key, version).await?;
            Ok(())
        })
        .await
    }

    /// Deletes all versions of a secret.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn delete_secret(
        &self,
        request: RequestContext,
        name: SecretName,
    ) -> Result<(), Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("secret {name}"));
            turn.authorize(tx, &turn.own()?, None).await?;
            match secrets::delete_all(tx, &key_of(turn, &name)?).await? {
                0 => Err(Refusal::NotFound.into()),
                _ => Ok(()),
            }
        })
        .await
    }
}

/// Makes room for another version and numbers it.
async fn next_version(tx: &mut Tx<'_>, turn: &Turn, key: &SecretKey) -> Result<u64, Failure> {
    let room = secrets::room(tx, key).await?;
    if room.versions == 0 {
        let (secrets, names) = secrets::count_of(tx, &key.tenant, &key.user).await?;
        let new_name = room.newest.is_none();
        if secrets >= SECRETS_PER_USER || (new_name && names >= NAMES_PER_USER) {
            return Err(Refusal::TooManySecrets.into());
        }
    }
    if let Some(oldest) = to_push_out(&room, turn.now)? {
        secrets::delete_version(tx, key, oldest).await?;
    }
    Ok(room.newest.unwrap_or(0) + 1)
}

/// The version that must go so that another fits.
fn to_push_out(room: &Room, now: Timestamp) -> Result<Option<u64>, Refusal> {
    match room.oldest {
        Some((version, written_at)) if room.versions >= VERSIONS_KEPT => {
            match (written_at + VERSION_REST).is_over(now) {
                true => Ok(Some(version)),
                false => Err(Refusal::TooManyVersions),
            }
        }
        _ => Ok(None),
    }
}

/// Reads a value. The text it came in is wiped either way.
fn decode(value_base64: String) -> Result<SecretBytes, &'static str> {
    let text = Zeroizing::new(value_base64);
    // Before decoding: nothing is allocated for what is too large anyway.
    if text.len() > MANAGED_VALUE_MAX.div_ceil(3) * 4 {
        return Err("The value is larger than 64 KiB.");
    }
    let malformed = "It must be base64 with padding (RFC 4648, section 4).";
    // The decoder would take several texts in a row, each with its padding.
    if text.trim_end_matches('=').contains('=') {
        return Err(malformed);
    }
    let value = BASE64.decode(text.as_bytes()).map(SecretBytes::new).map_err(|_| malformed)?;
    match value.expose().len() {
        0..=MANAGED_VALUE_MAX => Ok(value),
        _ => Err("The value is larger than 64 KiB."),
    }
}

fn key_of(turn: &Turn, name: &SecretName) -> Result<SecretKey, Failure> {
    Ok(SecretKey { tenant: turn.tenant().clone(), user: turn.user()?.clone(), name: name.clone() })
}

fn device_of(turn: &Turn) -> Result<&DeviceName, Failure> {
    match &turn.caller.spiffe_id.principal {
        Principal::Human { device, .. } => Ok(device),
        _ => Err(Refusal::Forbidden.into()),
    }
}

fn about(name: &SecretName, version: Option<u64>) -> String {
    match version {
        Some(version) => format!("secret {name} version {version}"),
        None => format!("secret {name}"),
    }
}

/// Where a page of versions begins: below this number.
fn version_cursor(after: Option<&str>) -> Result<u64, Failure> {
    let [below] = page::read_text_cursor::<1>(after)?;
    match below.as_str() {
        "" => Ok(u64::MAX),
        below => below
            .parse()
            .map_err(|_| Failure::invalid("after", "Use the next of the page before, unchanged.")),
    }
}

fn secret_info(secret: &Secret) -> SecretInfo {
    SecretInfo {
        name: secret.name.clone(),
        version: secret.version,
        versions: secret.versions,
        updated_at: At(secret.updated_at),
        updated_by: secret.updated_by.clone(),
    }
}

fn version_info(version: &Version) -> SecretVersionInfo {
    SecretVersionInfo {
        version: version.version,
        size: version.size,
        written_at: At(version.written_at),
        written_by: version.written_by.clone(),
    }
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
