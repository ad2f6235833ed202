use super::*;
use proptest::prelude::*;

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

/// The definition of RFC 9162 section 2.1.1, word for word.
fn by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256_of(&[]),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node_hash(&by_definition(&leaves[..k]), &by_definition(&leaves[k..]))
        }
    }
}

#[test]
fn a_frontier_knows_the_root_at_every_size_and_can_be_kept() {
    let all = leaves(70);
    let mut frontier = Frontier::new();
    for size in 0..=all.len() {
        assert_eq!(frontier.root(), by_definition(&all[..size]), "{size}");
        let kept = Frontier::from_parts(frontier.size(), frontier.peaks().to_vec());
        assert_eq!(kept.as_ref(), Some(&frontier));
        assert_eq!(Frontier::from_parts(frontier.size() + 1, vec![[0; 32]; 9]), None);
        if let Some(leaf) = all.get(size) {
            frontier.append(*leaf);
        }
    }
}

#[test]
fn every_leaf_of_every_small_tree_can_be_proved_and_no_other() {
    for size in 1..=20 {
        let all = leaves(size);
        let root = root_of(&all);
        for index in 0..size {
            let proof = inclusion_proof(&all, index).unwrap();
            let holds = |leaf: &Hash, at: usize, proof: &[Hash]| {
                verify_inclusion(leaf, at as u64, size as u64, proof, &root)
            };
            assert!(holds(&all[index], index, &proof), "{index} of {size}");
            assert!(!holds(&leaf_hash(b"forged"), index, &proof));
            assert!(!holds(&all[index], size, &proof));
            assert!((0..size).all(|at| at == index || !holds(&all[index], at, &proof)));
            assert!(!holds(&all[index], index, &[&proof[..], &[root]].concat()));
            assert!(proof.is_empty() || !holds(&all[index], index, &proof[1..]));
        }
        assert_eq!(inclusion_proof(&all, size), None);
    }
}

#[test]
fn every_small_tree_grows_only_from_its_own_beginnings() {
    for size in 1..=20usize {
        let all = leaves(size);
        let root = root_of(&all);
        for old in 1..=size {
            let proof = consistency_proof(&all, old).unwrap();
            let old_root = root_of(&all[..old]);
            let holds = |old: usize, old_root: &Hash, root: &Hash| {
                verify_consistency(old as u64, size as u64, &proof, old_root, root)
            };
            assert!(holds(old, &old_root, &root), "{old} of {size}");
            let mut rewritten = all[..old].to_vec();
            rewritten[old / 2] = leaf_hash(b"rewritten");
            assert!(!holds(old, &root_of(&rewritten), &root), "{old} of {size}");
            assert!(!holds(old, &old_root, &leaf_hash(b"x")), "{old} of {size}");
            assert!((1..=size).all(|other| other == old || !holds(other, &old_root, &root)));
        }
        assert_eq!(consistency_proof(&all, 0), None);
        assert_eq!(consistency_proof(&all, size + 1), None);
    }
}

proptest! {
    #[test]
    fn larger_trees_hold_their_proofs(size in 1usize..300, a in any::<prop::sample::Index>()) {
        let all = leaves(size);
        let root = root_of(&all);
        let index = a.index(size);
        let proof = inclusion_proof(&all, index).unwrap();
        prop_assert!(verify_inclusion(&all[index], index as u64, size as u64, &proof, &root));
        let old = index + 1;
        let proof = consistency_proof(&all, old).unwrap();
        let old_root = root_of(&all[..old]);
        prop_assert!(verify_consistency(old as u64, size as u64, &proof, &old_root, &root));
    }

    #[test]
    fn no_numbers_break_the_checks(
        a in any::<u64>(), b in any::<u64>(), proof in proptest::collection::vec(any::<Hash>(), 0..70),
    ) {
        prop_assert!(!verify_inclusion(&[0; 32], a, b, &proof, &[0; 32]));
        prop_assert!(a == b || !verify_consistency(a, b, &proof, &[0; 32], &[1; 32]));
    }
}

#[test]
fn proofs_from_blocks_are_those_from_all_leaves() {
    for size in 1..=70 {
        let all = leaves(size);
        for block_size in [1, 2, 4, 8, 16] {
            let roots: Vec<Hash> = all.chunks(block_size).map(root_of).collect();
            let block = |at: usize| all.chunks(block_size).nth(at).unwrap_or_default();
            for index in 0..size {
                let proof =
                    inclusion_proof_in_blocks(&roots, block(index / block_size), block_size, index);
                assert_eq!(
                    proof,
                    inclusion_proof(&all, index),
                    "{index} of {size} by {block_size}"
                );
            }
            for old in 1..=size {
                let proof =
                    consistency_proof_in_blocks(&roots, block(old / block_size), block_size, old);
                assert_eq!(proof, consistency_proof(&all, old), "{old} of {size} by {block_size}");
            }
            assert_eq!(inclusion_proof_in_blocks(&roots, block(0), block_size, size + 99), None);
            let beyond = consistency_proof_in_blocks(&roots, block(0), block_size, size + 99);
            assert_eq!(beyond, None);
        }
    }
    assert_eq!(inclusion_proof_in_blocks(&[], &[], 0, 0), None);
}
