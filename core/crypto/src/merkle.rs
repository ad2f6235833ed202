//! The Merkle tree of an append-only log (RFC 9162 section 2.1): SHA-256, leaves and nodes told apart
//! by their first byte.
//!
//! Whoever appends keeps only a [`Frontier`]: the roots of the complete subtrees, one for each bit
//! of the size. Proofs are made from all leaf hashes, and checked from a root alone.

use crate::secret::sha256_of;

/// A hash of a leaf, a node or a whole tree.
pub type Hash = [u8; 32];

/// The hash of a leaf (RFC 9162 section 2.1.1).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256_of(&[&[0], entry])
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_of(&[&[1], left, right])
}

/// What is needed to append to a tree, and to know its root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees, the largest (leftmost) first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A frontier that was kept; `None` when size and peaks do not fit.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, the largest first; to be kept with the size.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf by its hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each one-bit at the end of the size is a complete subtree that the new one completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root; SHA-256 of nothing for the empty tree.
    pub fn root(&self) -> Hash {
        let fold = |right: Hash, left: &Hash| node_hash(left, &right);
        match self.peaks.split_last() {
            Some((&last, larger)) => larger.iter().rev().fold(last, fold),
            None => sha256_of(&[]),
        }
    }
}

/// The root of the tree with these leaf hashes.
pub fn root_of(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::new();
    leaves.iter().for_each(|leaf| frontier.append(*leaf));
    frontier.root()
}

/// Proves that the leaf at `index` is in the tree of `leaves` (RFC 9162 section 2.1.3.1); `None` when
/// there is no such leaf.
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    let (mut leaves, mut index) = (leaves, index);
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(split_point(leaves.len()));
        if index < left.len() {
            proof.push(root_of(right));
            leaves = left;
        } else {
            proof.push(root_of(left));
            index -= left.len();
            leaves = right;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Proves that the tree of the first `old` of `leaves` is a beginning of the tree of all of them
/// (RFC 9162 section 2.1.4.1); `None` when `old` is zero or too large.
pub fn consistency_proof(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    if old == 0 || old > leaves.len() {
        return None;
    }
    Some(down_to(leaves, old, true))
}

/// The path of a consistency proof through `leaves` to the end of the first `old`, from below. `whole` says
/// whether nothing of the old tree stands before them.
fn down_to(leaves: &[Hash], old: usize, whole: bool) -> Vec<Hash> {
    let mut proof = Vec::new();
    let (mut leaves, mut old, mut whole) = (leaves, old, whole);
    while old < leaves.len() {
        let (left, right) = leaves.split_at(split_point(leaves.len()));
        if old <= left.len() {
            proof.push(root_of(right));
            leaves = left;
        } else {
            proof.push(root_of(left));
            old -= left.len();
            leaves = right;
            whole = false;
        }
    }
    // The old root itself is known to who checks; an inner subtree of it is not.
    if !whole {
        proof.push(root_of(leaves));
    }
    proof.reverse();
    proof
}

/// As [`inclusion_proof`], of a tree whose leaves are kept in blocks: `roots` are the roots of all blocks of
/// `block_size` leaves (a power of two), the last maybe of fewer, and `block` the leaves of the one that
/// holds `index`. `None` when they do not fit.
pub fn inclusion_proof_in_blocks(
    roots: &[Hash],
    block: &[Hash],
    block_size: usize,
    index: usize,
) -> Option<Vec<Hash>> {
    let mut proof = inclusion_proof(block, index.checked_rem(block_size)?)?;
    proof.extend(inclusion_proof(roots, index / block_size)?);
    Some(proof)
}

/// As [`consistency_proof`], of such a tree; `block` are the leaves of the block in which the first `old`
/// end.
pub fn consistency_proof_in_blocks(
    roots: &[Hash],
    block: &[Hash],
    block_size: usize,
    old: usize,
) -> Option<Vec<Hash>> {
    let rest = old.checked_rem(block_size)?;
    if rest == 0 {
        return consistency_proof(roots, old / block_size);
    }
    let (mut blocks, mut at) = (roots, old / block_size);
    if at >= blocks.len() || rest > block.len() {
        return None;
    }
    if at + 1 == blocks.len() && rest == block.len() {
        return Some(Vec::new());
    }
    let (mut path, mut whole) = (Vec::new(), true);
    while blocks.len() > 1 {
        let (left, right) = blocks.split_at(split_point(blocks.len()));
        if at < left.len() {
            path.push(root_of(right));
            blocks = left;
        } else {
            path.push(root_of(left));
            at -= left.len();
            blocks = right;
            whole = false;
        }
    }
    let mut proof = down_to(block, rest, whole);
    path.reverse();
    proof.extend(path);
    Some(proof)
}

/// The largest power of two that is smaller than `n`, for `n > 1`.
fn split_point(n: usize) -> usize {
    1 << (usize::BITS - 1 - (n - 1).leading_zeros())
}

/// Checks that the leaf is at `index` of the tree of `size` leaves with `root` (RFC 9162 section
/// 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut node) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            node = node_hash(sibling, &node);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            node = node_hash(&node, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && node == *root
}

/// Checks that the tree of `old_size` leaves with `old_root` is a beginning of the tree of `size`
/// leaves with `root` (RFC 9162 section 2.1.4.2).
pub fn verify_consistency(
    old_size: u64,
    size: u64,
    proof: &[Hash],
    old_root: &Hash,
    root: &Hash,
) -> bool {
    if old_size == 0 || old_size > size {
        return false;
    }
    if old_size == size {
        return proof.is_empty() && old_root == root;
    }
    // A complete old tree is itself the first node.
    let start =
        if old_size.is_power_of_two() { Some((old_root, proof)) } else { proof.split_first() };
    let Some((first, rest)) = start else {
        return false;
    };
    let skipped = (old_size - 1).trailing_ones();
    let (mut at, mut last) = ((old_size - 1) >> skipped, (size - 1) >> skipped);
    let (mut old_node, mut node) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_node = node_hash(sibling, &old_node);
            node = node_hash(sibling, &node);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            node = node_hash(&node, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old_node == *old_root && node == *root
}

#[cfg(test)]
#[path = "merkle_tests.rs"]
mod tests;
