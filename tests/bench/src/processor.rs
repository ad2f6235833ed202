//! How many signatures a core makes and checks: the floor under every enrolment.

use anyhow::{Result, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(2);
const MESSAGE: &[u8] = b"landfall/bench/v1\0a message of about the size of a digest's input";

/// Pairs of one verification and one signature, per second, on one core.
pub fn verify_and_sign_per_second() -> Result<f64> {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref());
    let started = Instant::now();
    let mut pairs = 0_u32;
    while started.elapsed() < SPAN {
        let signature = key.sign(&random, MESSAGE)?;
        public.verify(MESSAGE, signature.as_ref()).map_err(|_| anyhow!("a signature is wrong"))?;
        pairs += 1;
    }
    Ok(f64::from(pairs) / started.elapsed().as_secs_f64())
}
