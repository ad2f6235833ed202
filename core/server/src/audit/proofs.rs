//! Proofs from the sealed log: that a row is in it, and that it only grew (RFC 9162, sections 2.1.3 and
//! 2.1.4).
//!
//! A proof needs the roots of the whole tree's parts. Those of whole blocks are kept, so that it reads two
//! blocks of leaves and not all of them.

use crate::store::audit_log;
use crate::store::{StoreError, Tx};
use landfall_crypto::merkle::{
    Hash, consistency_proof_in_blocks, inclusion_proof_in_blocks, root_of,
};

/// Leaves of one block: a power of two.
pub const BLOCK: usize = 1024;

/// What proofs are made of: the log as it was with `size` rows.
struct Tree {
    /// The roots of its blocks, the last maybe of fewer leaves.
    roots: Vec<Hash>,
    /// The leaves of one of them.
    block: Vec<Hash>,
}

impl Tree {
    /// With the leaves of the block that holds place `at`, counted from zero.
    async fn read(tx: &mut Tx<'_>, size: u64, at: u64) -> Result<Self, StoreError> {
        let whole = size / BLOCK as u64;
        let mut roots = audit_log::block_roots(tx, whole).await?;
        // Blocks of before they were kept, and the last one.
        for number in roots.len() as u64..size.div_ceil(BLOCK as u64) {
            roots.push(root_of(&leaves_of(tx, number, size).await?));
        }
        let block = leaves_of(tx, at / BLOCK as u64, size).await?;
        Ok(Self { roots, block })
    }
}

/// The leaves of a block, as far as place `size`.
async fn leaves_of(tx: &mut Tx<'_>, number: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
    let from = number * BLOCK as u64;
    let leaves = audit_log::leaves(tx, from, size.min(from + BLOCK as u64)).await?;
    Ok(leaves)
}

/// That the row at place `seq`, counted from one, is in the log of `size` rows; `None` when it is not.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn inclusion(
    tx: &mut Tx<'_>,
    seq: u64,
    size: u64,
) -> Result<Option<Vec<Hash>>, StoreError> {
    let Some(at) = seq.checked_sub(1).filter(|at| *at < size) else { return Ok(None) };
    let tree = Tree::read(tx, size, at).await?;
    Ok(inclusion_proof_in_blocks(&tree.roots, &tree.block, BLOCK, index(at)?))
}

/// That the log of `from` rows is a beginning of the log of `to`; `None` when there is no such proof.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn growth(tx: &mut Tx<'_>, from: u64, to: u64) -> Result<Option<Vec<Hash>>, StoreError> {
    if from == 0 || from > to {
        return Ok(None);
    }
    let tree = Tree::read(tx, to, from).await?;
    if from == to {
        return Ok(Some(Vec::new()));
    }
    Ok(consistency_proof_in_blocks(&tree.roots, &tree.block, BLOCK, index(from)?))
}

fn index(place: u64) -> Result<usize, StoreError> {
    usize::try_from(place).map_err(|_| StoreError::Shape { column: 0 })
}

/// The root of the next whole block that is not kept yet, among the first `size` rows.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn next_block(tx: &mut Tx<'_>, size: u64) -> Result<Option<(u64, Hash)>, StoreError> {
    let number = audit_log::blocks(tx).await?;
    if (number + 1) * BLOCK as u64 > size {
        return Ok(None);
    }
    let leaves = leaves_of(tx, number, size).await?;
    Ok((leaves.len() == BLOCK).then(|| (number, root_of(&leaves))))
}
