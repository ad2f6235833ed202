use super::*;

fn load(toml: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("landfall.toml");
    std::fs::write(&file, toml).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    Config::load(Some(&file), variables, &Flags::default())
}

#[test]
fn a_directory_is_all_that_must_be_said() {
    let config = load("data_dir = '/srv/landfall'", &[]).unwrap();
    assert_eq!(config.tenant.as_str(), "home");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8443");
    assert_eq!(config.device_token_ttl_max(), Seconds::minutes(10));
}

#[test]
fn an_unknown_key_is_refused_by_name_wherever_it_stands() {
    let file = load("data_dir = '/x'\nlissten = '127.0.0.1:1'", &[]).unwrap_err().to_string();
    assert!(file.contains("landfall.toml: there is no key lissten; is listen meant?"), "{file}");
    let variable = load("data_dir = '/x'", &[("LANDFALL_MASTER_KEY_PASSPHRASE", "hunter2")]);
    let variable = variable.unwrap_err().to_string();
    assert!(variable.contains("the variable LANDFALL_MASTER_KEY_PASSPHRASE"), "{variable}");
    assert!(variable.contains("is master_key_passphrase_file meant?"), "{variable}");
    assert!(!variable.contains("hunter2"), "{variable}");
}

#[test]
fn every_error_names_the_key_where_it_was_said_and_what_belongs_there() {
    for (toml, variables, says) in [
        ("listen = 'here'", [].as_slice(), "landfall.toml: listen must be an address and a port"),
        (
            "listen = 3",
            &[],
            "listen must be an address and a port, such as 127.0.0.1:8443, and is 3",
        ),
        (
            "max_connections = 'many'",
            &[],
            "landfall.toml: max_connections must be a whole number, such as 3600, and is the text \"many\"",
        ),
        (
            "max_connections = -3",
            &[],
            "max_connections must be a whole number, and 0 or more, and is -3",
        ),
        (
            "recovery_waiting_days = 99999999999",
            &[],
            "recovery_waiting_days must be a whole number from 0 to 4294967295, and is 99999999999",
        ),
        ("log_format = 'xml'", &[], "landfall.toml: log_format must be text or json, and is xml"),
        ("tenant = 7", &[], "landfall.toml: tenant must be a text in quotes, and is 7"),
        (
            "keep_root_key = 'perhaps'",
            &[],
            "landfall.toml: keep_root_key must be true or false, and is the text \"perhaps\"",
        ),
        ("listen = ", &[], "landfall.toml is not TOML: "),
        ("", &[("LANDFALL_LISTEN", "here")], "the variable LANDFALL_LISTEN: listen must be "),
        ("", &[("LANDFALL_KEEP_ROOT_KEY", "no")], "the variable LANDFALL_KEEP_ROOT_KEY: keep_root"),
        ("public_url = 'id.example.org'", &[], "landfall.toml: public_url: it must be https://"),
    ] {
        let error = load(&format!("data_dir = '/x'\n{toml}"), variables).unwrap_err().to_string();
        assert!(error.contains(says), "{toml}: {error}");
    }
    let missing = load("", &[]).unwrap_err().to_string();
    assert!(missing.contains("--data-dir DIR"), "{missing}");
}

#[test]
fn variables_win_over_the_file_and_flags_over_both() {
    let toml = "data_dir = '/x'\nlisten = '127.0.0.1:1'\ntenant = 'work'";
    let variables = [("LANDFALL_LISTEN", "127.0.0.1:2"), ("LANDFALL_TENANT", "2026")];
    let config = load(toml, &variables).unwrap();
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.tenant.as_str(), "2026", "a text that looks like a number stays a text");

    let flags = Flags { listen: Some("127.0.0.1:3".parse().unwrap()), ..Flags::default() };
    let data_dir = ("LANDFALL_DATA_DIR".to_owned(), "/x".to_owned());
    let config = Config::load(None, [data_dir], &flags).unwrap();
    assert_eq!(config.listen.port(), 3);
}

#[test]
fn the_clients_variables_are_not_ours() {
    assert!(load("data_dir = '/x'", &[("LANDFALL_HOME", "/home/b/.landfall")]).is_ok());
}

#[test]
fn rules_between_keys_hold() {
    for (toml, says) in [
        ("tls_certificate = 'a.pem'", "tls_key"),
        ("device_token_ttl_max_seconds = 86401", "86400"),
        ("device_token_ttl_max_seconds = 0", "86400"),
        ("localhost_listen = '0.0.0.0:80'", "loopback"),
        ("listen = '0.0.0.0:443'", "public_url"),
        ("public_url = 'http://id.example.org'", "https://"),
        ("public_url = 'https://id.example.org/landfall'", "nothing behind it"),
        ("public_url = 'https://u:p@id.example.org'", "nothing behind it"),
        ("recovery_waiting_days = 2", "from 3 to 30"),
        ("recovery_waiting_days = 31", "from 3 to 30"),
        ("renewal_silence_max_days = 0", "from 1 to 3650"),
        ("renewal_silence_max_days = 3651", "from 1 to 3650"),
        ("renewal_silence_max_days = 99999999999999", "from 1 to 3650"),
        ("max_connections = 0", "from 1 to 1000000"),
        ("max_connections = 9223372036854775807", "from 1 to 1000000"),
        ("max_connections_per_source = 0", "from 1 to 1000000"),
    ] {
        let error = load(&format!("data_dir = '/x'\n{toml}"), &[]).unwrap_err().to_string();
        assert!(error.contains(says), "{toml}: {error}");
        assert!(error.contains("landfall.toml"), "{toml}: {error}");
    }
    for (file, variables) in [("data_dir = ''", [].as_slice()), ("", &[("LANDFALL_DATA_DIR", "")])]
    {
        let error = load(file, variables).unwrap_err().to_string();
        assert!(error.contains("data_dir is empty: name the directory"), "{error}");
    }
    let variable = load("data_dir = '/x'", &[("LANDFALL_LISTEN", "0.0.0.0:443")]).unwrap_err();
    assert!(variable.to_string().contains("the variable LANDFALL_LISTEN: "), "{variable}");
}

fn site(toml: &str, localhost: Option<&str>) -> Site {
    let config = load(&format!("data_dir = '/x'\n{toml}"), &[]).unwrap();
    let https = "127.0.0.1:8443".parse().unwrap();
    Site::new(&config, https, localhost.map(|address| address.parse().unwrap())).unwrap()
}

#[test]
fn a_local_server_speaks_for_landfall_local() {
    let site = site("", Some("127.0.0.1:8480"));
    assert_eq!(site.url.to_string(), "https://127.0.0.1:8443");
    assert_eq!(site.url.authority(), "127.0.0.1:8443");
    assert_eq!(site.trust_domain.as_str(), "landfall.local");
    let ceremony = site.ceremony.unwrap();
    assert_eq!(ceremony.origin, "http://localhost:8480");
    assert_eq!(ceremony.rp_id, "localhost");
}

#[test]
fn passkeys_need_a_name_and_a_certificate_that_browsers_trust() {
    let files = "tls_certificate = 'c.pem'\ntls_key = 'k.pem'\n";
    let named = site(&format!("{files}public_url = 'https://id.example.org'"), None);
    assert_eq!(named.trust_domain.as_str(), "id.example.org");
    assert_eq!(named.url.authority(), "id.example.org");
    assert_eq!(named.ceremony.unwrap().rp_id, "id.example.org");

    let address = format!("{files}public_url = 'https://192.0.2.1'");
    assert_eq!(site(&address, None).ceremony, None, "an address is no relying party");
    let own_ca = site("public_url = 'https://id.example.org'", None);
    assert_eq!(own_ca.ceremony, None, "browsers do not trust our own CA");
}
