//! Signing with the key that the provider publishes for the agent itself.

use super::*;
use landfall_crypto::aauth::message::{self, Demands, WINDOW};
use landfall_crypto::aauth::{AgentKeys, KeySource, Request};
use landfall_crypto::ambient::Clock;
use landfall_test_support::{SoftAgent, Through};

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_own_key_set_leads_to_the_key_that_signed() {
    let (world, ana) = world(Profile::Compatible).await;
    let den = Den::new();
    for algorithm in Algorithm::ALL {
        let local = algorithm.legacy_name();
        let agent = enrolled(&world, &ana, &den, algorithm, local).await;
        let request = AgentRequest::post_json(
            "https://api.example.org/reports?day=1".parse().unwrap(),
            b"{}".to_vec(),
        );
        let mut fields = agent.sign(&request, Scheme::JwksUri).await.unwrap();
        fields.push(("content-type", "application/json".to_owned()));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let arrived = Request {
            method: "POST",
            authority: "api.example.org",
            path: "/reports",
            query: Some("day=1"),
            https: true,
            fields: &fields,
            body: b"{}",
        };
        let authorities = ["api.example.org".to_owned()];
        let demands = Demands {
            profile: Profile::Compatible,
            window: WINDOW,
            authorities: &authorities,
            schemes: &[Scheme::JwksUri],
            digest: true,
        };
        let unverified = message::read(&arrived, &demands, world.clock.now()).unwrap();
        let KeySource::JwksDirect { uri, kid } = unverified.source() else { panic!("no key set") };
        let path = uri.split_once("/agents/").unwrap().1;
        let anybody = SoftAgent::new(&world, algorithm, Through::Tls).unwrap();
        let published = anybody.get(&format!("/agents/{path}")).await.unwrap().body.to_string();
        let keys = AgentKeys::read(published.as_bytes(), Profile::Strict).unwrap();
        let key = keys.get(kid).unwrap();
        assert_eq!(key.thumbprint(), agent.thumbprint());
        assert!(unverified.verify(key, Some(kid)).is_ok());
    }
}
