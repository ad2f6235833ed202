use super::*;
use landfall_crypto::ambient::SystemClock;
use proptest::prelude::*;
use std::net::{Ipv4Addr, Ipv6Addr};

fn egress(allowed: &[&str]) -> Egress {
    let allowed = allowed.iter().map(|net| net.parse().unwrap()).collect();
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    Egress::new(allowed, Some(&authority.cert.pem()), Arc::new(SystemClock)).unwrap()
}

async fn refused(egress: &Egress, url: &str) -> EgressError {
    let url = Url::parse(url).unwrap();
    egress.post(&url, Vec::new(), Vec::new()).await.unwrap_err()
}

#[test]
fn what_is_not_the_public_internet_is_known() {
    for inward in [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.170",
        "198.19.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "fe80::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:0:7f00:1::",
        "2002:7f00:1::",
        "2001:db8::1",
    ] {
        assert!(!is_public(inward.parse().unwrap()), "{inward}");
    }
    for outward in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "::ffff:8.8.8.8", "2606:4700::1111"] {
        assert!(is_public(outward.parse().unwrap()), "{outward}");
    }
}

#[tokio::test]
async fn addresses_that_lead_inwards_are_refused_by_number_and_by_name() {
    let egress = egress(&[]);
    for url in [
        "https://127.0.0.1:9/",
        "https://127.1:9/",
        "https://2130706433:9/",
        "https://0x7f.1:9/",
        "https://[::1]:9/",
        "https://[::ffff:127.0.0.1]:9/",
        "https://169.254.169.254/latest/meta-data",
        // A name is no better than what it resolves to.
        "https://localhost:9/",
        "https://LOCALHOST.:9/",
    ] {
        let error = refused(&egress, url).await;
        let lost = matches!(&error, EgressError::Unresolved(..)) && url.contains("LOCALHOST.");
        assert!(matches!(error, EgressError::Private { .. }) || lost, "{url}: {error}");
    }
}

#[test]
fn one_bad_address_spoils_a_name_wherever_it_stands() {
    let (good, bad): (IpAddr, IpAddr) = ([1, 1, 1, 1].into(), [169, 254, 169, 254].into());
    let closed = egress(&[]);
    for addresses in [[good, bad], [bad, good]] {
        let refused = closed.choose("mixed.example", &addresses);
        assert!(matches!(refused, Err(EgressError::Private { address, .. }) if address == bad));
    }
    assert_eq!(closed.choose("good.example", &[good]).unwrap(), good);
    assert!(matches!(closed.choose("none.example", &[]), Err(EgressError::Unresolved(..))));
    assert!(egress(&["169.254.0.0/16"]).choose("listed.example", &[good, bad]).is_ok());
}

#[tokio::test]
async fn only_https_is_spoken() {
    let egress = egress(&["127.0.0.0/8"]);
    for url in ["http://127.0.0.1:9/", "file:///etc/passwd", "ftp://127.0.0.1/"] {
        assert!(matches!(refused(&egress, url).await, EgressError::NotHttps), "{url}");
    }
}

#[tokio::test]
async fn a_listed_network_is_called_and_no_other() {
    let egress = egress(&["127.0.0.1/32"]);
    let listed = refused(&egress, "https://127.0.0.1:9/").await;
    assert!(matches!(listed, EgressError::Connect { .. }), "{listed}");
    let other = refused(&egress, "https://127.0.0.2:9/").await;
    assert!(matches!(other, EgressError::Private { .. }), "{other}");
    let mapped = refused(&egress, "https://[::ffff:127.0.0.1]:9/").await;
    assert!(!matches!(mapped, EgressError::Private { .. }), "the same machine: {mapped}");
}

#[test]
fn a_file_without_a_certificate_is_found_at_the_start() {
    for text in ["", "not PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let made = Egress::new(Vec::new(), Some(text), Arc::new(SystemClock));
        assert!(matches!(made, Err(EgressSetupError::Authority)), "{text}");
    }
}

proptest! {
    #[test]
    fn an_ipv4_address_is_the_same_in_ipv6_clothes(bits: u32) {
        let v4 = Ipv4Addr::from(bits);
        let mapped: Ipv6Addr = v4.to_ipv6_mapped();
        prop_assert_eq!(is_public(IpAddr::V4(v4)), is_public(IpAddr::V6(mapped)));
    }
}
