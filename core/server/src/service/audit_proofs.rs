//! Proofs from the audit, for whoever keeps a checkpoint and believes nobody.

use super::{RequestContext, Service, Turn};
use crate::audit::checkpoint::from_stored;
use crate::audit::{leaf, proofs};
use crate::failure::Failure;
use crate::store::audit_log::{self, StoredCheckpoint};
use crate::store::{StoreError, Tx};
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::Thumbprint;
use landfall_crypto::merkle::Hash;
use landfall_identity::authorize::Object;
use landfall_identity::{Action, Refusal};
use landfall_protocol::audit::{
    AuditCheckpointInfo, AuditConsistency, AuditConsistencyQuery, AuditProof, AuditProofQuery,
};

impl Service {
    /// As this service, knowing whose the audit's checkpoints are.
    #[must_use]
    pub fn with_audit_key(mut self, key: Thumbprint) -> Self {
        self.audit_key = Some(key);
        self
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// A refusal; [`Refusal::NotFound`] before anything was sealed.
    pub async fn audit_checkpoint(
        &self,
        request: RequestContext,
    ) -> Result<AuditCheckpointInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &Object::Own, None).await
        })
        .await?;
        let look = async |tx: &mut Tx<'_>| audit_log::checkpoint(tx, None).await;
        let newest = self.store.read(look).await?.ok_or(Refusal::NotFound)?;
        Ok(AuditCheckpointInfo { size: newest.size, line: self.line_of(&newest)? })
    }

    /// That a row is in the log: one of the caller's own, or of anybody's for those who read them.
    ///
    /// # Errors
    /// A refusal; [`Refusal::NotFound`] for a row that is not sealed, or is not the caller's.
    pub async fn prove_audit_row(
        &self,
        request: RequestContext,
        seq: u64,
        query: AuditProofQuery,
    ) -> Result<AuditProof, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("row {seq}"));
            let object = match audit_log::owner_at(tx, seq).await? {
                Some((tenant, _)) if tenant == *turn.tenant() && reads_all(turn) => Object::Own,
                Some((tenant, Some(user))) => Object::Owned { tenant, user },
                // No such row; or one of the server's own or a stranger's, which is nobody's.
                Some((_, None)) | None => {
                    turn.refuse_strangers_first()?;
                    return Err(Refusal::NotFound.into());
                }
            };
            turn.authorize(tx, &object, None).await
        })
        .await?;
        let look = async |tx: &mut Tx<'_>| -> Result<_, StoreError> {
            let Some(checkpoint) = audit_log::checkpoint(tx, query.size).await? else {
                return Ok(None);
            };
            let row =
                audit_log::sealed_after(tx, seq.saturating_sub(1), 1).await?.into_iter().next();
            let path = proofs::inclusion(tx, seq, checkpoint.size).await?;
            Ok(Some((checkpoint, row.filter(|row| row.seq == seq), path)))
        };
        let Some((checkpoint, Some(row), Some(path))) = self.store.read(look).await? else {
            let why = "There is no checkpoint of so many rows that covers this one.";
            return Err(Failure::invalid("size", why));
        };
        Ok(AuditProof {
            seq,
            entry: BASE64URL_NOPAD.encode(&leaf::encode(seq, &row.columns)),
            path: texts(&path),
            checkpoint: self.line_of(&checkpoint)?,
        })
    }

    /// That the log of one checkpoint is a beginning of another's.
    ///
    /// # Errors
    /// A refusal; sizes of which there is no checkpoint.
    pub async fn prove_audit_growth(
        &self,
        request: RequestContext,
        query: AuditConsistencyQuery,
    ) -> Result<AuditConsistency, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &Object::Own, None).await
        })
        .await?;
        let AuditConsistencyQuery { from, to } = query;
        let look = async |tx: &mut Tx<'_>| -> Result<_, StoreError> {
            let (Some(older), Some(newer)) = (
                audit_log::checkpoint(tx, Some(from)).await?,
                audit_log::checkpoint(tx, to).await?,
            ) else {
                return Ok(None);
            };
            let path = proofs::growth(tx, older.size, newer.size).await?;
            Ok(path.map(|path| (older, newer, path)))
        };
        let Some((older, newer, path)) = self.store.read(look).await? else {
            let why = "There are no checkpoints of so many rows, the older one first.";
            return Err(Failure::invalid("from", why));
        };
        Ok(AuditConsistency {
            from: self.line_of(&older)?,
            to: self.line_of(&newer)?,
            path: texts(&path),
        })
    }

    fn line_of(&self, stored: &StoredCheckpoint) -> Result<String, Failure> {
        let key = self.audit_key.as_ref().ok_or(Failure::Unavailable)?;
        let signed = from_stored(stored, key)
            .ok_or_else(|| Failure::internal("the database holds a checkpoint that is none"))?;
        signed.to_line().map_err(Failure::internal)
    }
}

/// Whether the caller may read everybody's rows.
fn reads_all(turn: &Turn) -> bool {
    let action = Action::AdminReadAudit;
    action.demand().is_open_to(turn.caller.role)
        && turn.foresee_rules(action, &turn.caller, &Object::Own, None).is_ok()
}

fn texts(path: &[Hash]) -> Vec<String> {
    path.iter().map(|hash| BASE64URL_NOPAD.encode(hash)).collect()
}
