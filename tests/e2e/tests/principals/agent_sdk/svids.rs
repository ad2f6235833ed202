//! Certificates that the real server issues, by its trust bundle.

use super::*;
use landfall_crypto::ambient::Clock;
use landfall_identity::{Seconds, TrustDomain};
use landfall_verifier::{Roots, SvidError, SvidSetup, SvidVerifier};
use rustls::pki_types::CertificateDer;
use url::Url;

fn verifier(world: &World, domain: &str) -> SvidVerifier {
    let server = format!("https://{}", world.server().https_addr);
    let bundle: Url = format!("{server}/.well-known/spiffe-bundle").parse().unwrap();
    SvidVerifier::new(SvidSetup {
        trust_domain: TrustDomain::parse(domain).unwrap(),
        bundle,
        audience: "https://api.example.org".to_owned(),
        roots: Roots::Pem(world.server().trust_bundle_pem.clone()),
        clock: world.clock.clone(),
    })
    .unwrap()
}

fn chain_of(person: &Person) -> Vec<CertificateDer<'static>> {
    let chain = person.client().profile().unwrap().certificate_chain;
    let blocks = pem::parse_many(chain).unwrap();
    blocks.into_iter().map(|block| CertificateDer::from(block.into_contents())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_trust_domain_names_its_holder() {
    let (mut world, ana) = world(Profile::Compatible).await;
    let svids = verifier(&world, "landfall.local");
    let chain = chain_of(&ana);
    let caller = svids.verify_x509(&chain).await.unwrap();
    assert_eq!(caller.spiffe_id, ana.client().profile().unwrap().spiffe_id);

    let (other, bert) = super::world(Profile::Compatible).await;
    let strange = svids.verify_x509(&chain_of(&bert)).await;
    assert!(matches!(strange, Err(SvidError::Certificate)));
    assert!(verifier(&other, "landfall.local").verify_x509(&chain_of(&bert)).await.is_ok());
    let elsewhere = verifier(&world, "another.example.org").verify_x509(&chain).await;
    assert!(matches!(elsewhere, Err(SvidError::Name)));
    let mut alone = chain.clone();
    alone.truncate(1);
    assert!(matches!(svids.verify_x509(&alone).await, Err(SvidError::Certificate)));
    assert!(matches!(svids.verify_x509(&[]).await, Err(SvidError::Certificate)));
    world.pass(Seconds::hours(25)).await.unwrap();
    assert!(world.clock.now() > caller.expires_at);
    let over = verifier(&world, "landfall.local").verify_x509(&chain).await;
    assert!(matches!(over, Err(SvidError::Certificate)));
}
