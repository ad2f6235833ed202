//! `config check`, read as an operator would.

use crate::binary::{Said, Serving, command, run};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn check(&self, toml: &str) -> Said {
        let file = self.path("landfall.toml");
        let data_dir = self.path("data");
        std::fs::write(&file, format!("data_dir = {data_dir:?}\n{toml}\n")).unwrap();
        run(command().args(["config", "check", "--config"]).arg(&file))
    }

    /// A self-signed certificate for a name, and its key.
    fn certificate(&self, name: &str) -> String {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let (certificate, key) = (self.path("chain.pem"), self.path("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        format!("tls_certificate = {certificate:?}\ntls_key = {key:?}\n")
    }
}

#[track_caller]
fn says(said: &Said, words: &[&str]) {
    let text = format!("{}{}", said.out, said.err);
    for word in words {
        assert!(text.contains(word), "`{word}` is missing:\n{text}");
    }
}

#[test]
fn a_plain_configuration_is_explained() {
    let folder = Folder::new();
    let said = folder.check("");
    assert!(said.ok, "{said:?}");
    says(
        &said,
        &[
            "landfall.toml",
            "made at the first start",
            "HTTPS            127.0.0.1:8443",
            "Public address   https://127.0.0.1:8443",
            "Tenant           home",
            "landfall.local, fixed at the first start",
            "by this server's own CA",
            "not in browsers: they take no passkeys for a bare address. Set public_url",
            "in a file that only its owner reads",
            "keep_root_key = false takes it offline",
        ],
    );
    assert!(!folder.path("data").exists(), "looking changes nothing");
}

#[test]
fn a_way_in_that_nist_does_not_know_is_called_so() {
    let folder = Folder::new();
    let plain = folder.check("recovery_plan = 'team'");
    says(&plain, &["Way back in      "]);
    assert!(!format!("{plain:?}").contains("NIST"), "{plain:?}");
    let waits = folder.check("recovery_waiting_days = 7");
    assert!(waits.ok, "{waits:?}");
    says(&waits, &["; or a wait of 7 days, for users who allow it", "NIST SP 800-63B-4 knows no"]);
}

#[test]
fn certificate_files_are_looked_into() {
    let folder = Folder::new();
    let files = folder.certificate("id.example.org");
    let right = folder.check(&format!("{files}public_url = 'https://id.example.org'"));
    assert!(right.ok, "{right:?}");
    says(&right, &["in browsers, at https://id.example.org", "chain.pem, until "]);

    let other = folder.check(&format!("{files}public_url = 'https://www.example.org'"));
    assert!(!other.ok, "{other:?}");
    says(&other, &["tls_certificate: ", "is not for www.example.org", "public_url"]);

    std::fs::write(folder.path("key.pem"), "no key").unwrap();
    let broken = folder.check(&format!("{files}public_url = 'https://id.example.org'"));
    assert!(!broken.ok, "{broken:?}");
    says(&broken, &["tls_certificate, tls_key: ", "key.pem cannot be used as a private key"]);
    std::fs::remove_file(folder.path("chain.pem")).unwrap();
    says(&folder.check(&files), &["chain.pem cannot be used as a certificate chain"]);

    let files = folder.certificate("id.example.org");
    let stranger = rcgen::generate_simple_self_signed(["id.example.org".to_owned()]).unwrap();
    std::fs::write(folder.path("key.pem"), stranger.signing_key.serialize_pem()).unwrap();
    says(&folder.check(&files), &["the server's certificate and key cannot be used together"]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let folder = Folder::new();
    let files = folder.certificate("id.example.org");
    let said = folder.check(&format!(
        "{files}public_url = 'https://www.example.org'\nmaster_key_passphrase_file = '/nowhere/phrase'"
    ));
    assert!(!said.ok);
    says(&said, &["is not for www.example.org", "/nowhere/phrase cannot be read"]);
}

#[test]
fn what_the_database_was_made_for_is_compared() {
    let folder = Folder::new();
    Serving::start(&folder.path("data"), |_| {}).unwrap().stop();
    says(&folder.check(""), &["landfall.local, fixed\n"]);
    let moved = folder.check("public_url = 'https://id.example.org'");
    assert!(!moved.ok, "{moved:?}");
    says(&moved, &["trust_domain: this database belongs to landfall.local", "set trust_domain to"]);
    let kept =
        folder.check("public_url = 'https://id.example.org'\ntrust_domain = 'landfall.local'");
    assert!(kept.ok, "{kept:?}");
}

#[test]
fn a_plan_made_to_measure_is_data_and_a_bad_one_is_told() {
    let folder = Folder::new();
    let device = "{ proofs = { door = \"device\", count = 1 } }";
    let admins = "{ wait = { seconds = 3600, hold = \"while-a-device-lives\", after = \
                  { proofs = { door = \"admin\", count = 2 } } } }";
    let own = format!("recovery_plan = {{ any_of = [{device}, {admins}] }}");
    let said = folder.check(&own);
    assert!(said.ok, "{said:?}");
    says(
        &said,
        &["Way back in", "a device; or 2 administrators, after 1 h while a device still works"],
    );
    for (plan, why) in [
        ("\"teams\"".to_owned(), "personal, team, strict"),
        (format!("{{ any_of = [{device}] }}"), "nobody who has lost every device"),
        (
            format!(
                "{{ any_of = [{device}, {{ proofs = {{ door = \"recovery-code\", count = 1 }} }}] }}"
            ),
            "weaker",
        ),
        (format!("{{ any_off = [{device}] }}"), "any_off"),
    ] {
        let said = folder.check(&format!("recovery_plan = {plan}"));
        assert!(!said.ok, "{plan}: {said:?}");
        says(&said, &["recovery_plan", why]);
    }
}

#[test]
fn the_rules_of_nist_are_stated_and_a_setting_flips_them() {
    let folder = Folder::new();
    let state = |toml: &str| {
        folder.check(toml);
        run(command().args(["config", "nist", "--config"]).arg(folder.path("landfall.toml")))
    };
    let usual = state("");
    assert!(usual.ok, "{usual:?}");
    says(&usual, &["NIST SP 800-63B-4", "kept      4.1.2.2", "NOT KEPT  4.2.3", "set smtp_url"]);
    says(&state("device_token_ttl_max_seconds = 3600"), &["NOT KEPT  4.1.2.2", "set it to 600"]);
    let mails = "smtp_url = 'smtps://mail.example.org'\nsmtp_from = 'landfall@example.org'";
    says(&state(mails), &["kept      4.2.3", "kept      4.6"]);
}

#[test]
fn webhooks_are_looked_into() {
    let folder = Folder::new();
    says(&folder.check(""), &["Webhooks", "none; webhooks names programs"]);
    let hooks = "webhooks = ['https://hooks.example.org/landfall']";
    let said = folder.check(&format!("{hooks}\negress_networks = ['10.0.0.0/8']"));
    assert!(said.ok, "{said:?}");
    says(&said, &["https://hooks.example.org/landfall"]);
    std::fs::write(folder.path("hooks.pem"), "nothing").unwrap();
    let pem = folder.path("hooks.pem");
    for (toml, says_so) in [
        (format!("{hooks}\nwebhook_ca_file = {pem:?}"), "holds no certificate"),
        (
            "webhooks = ['http://hooks.example.org/']".to_owned(),
            "webhooks: a webhook must be https://",
        ),
        ("webhooks = ['https://a.example/?x=1']".to_owned(), "without ? and #"),
        ("webhooks = 7".to_owned(), "webhooks must be a list of texts, and is 7"),
        (format!("{hooks}\negress_networks = ['all']"), "egress_networks: "),
        (format!("webhook_ca_file = {pem:?}"), "set webhooks"),
    ] {
        let said = folder.check(&toml);
        assert!(!said.ok, "{toml}");
        says(&said, &[says_so]);
    }
    // A variable holds several, apart by white space.
    let mut command = command();
    command.args(["config", "check", "--data-dir"]).arg(folder.path("data"));
    command.env("LANDFALL_WEBHOOKS", "https://a.example/x https://b.example/y");
    says(&run(&mut command), &["https://a.example/x, https://b.example/y"]);
}

#[test]
fn platforms_of_workloads_are_looked_into() {
    let folder = Folder::new();
    says(&folder.check(""), &["Workloads", "none; workload_issuers names platforms"]);
    let cluster = "[[workload_issuers]]\nname = 'prod'\nplatform = 'kubernetes'\n\
        issuer = 'https://kubernetes.default.svc'\naudience = 'https://id.example.org'\n";
    let said = folder.check(cluster);
    assert!(said.ok, "{said:?}");
    says(&said, &["Workloads", "prod (kubernetes), https://kubernetes.default.svc"]);
    let forge = "[[workload_issuers]]\nname = 'forge'\nplatform = 'github'\ncluster = 'prod'\n\
        issuer = 'https://token.actions.githubusercontent.com'\naudience = 'https://id.example.org'\n\
        [[workload_issuers.mappings]]\nclaims = { repository_id = '74' }\n";
    let both = folder.check(&format!("{cluster}{forge}"));
    assert!(both.ok, "{both:?}");
    says(&both, &["forge vouches for workloads of prod, as another issuer does"]);
    std::fs::write(folder.path("ca.pem"), "nothing").unwrap();
    let pem = folder.path("ca.pem");
    let gone = folder.path("gone.pem");
    for (toml, says_so) in [
        (format!("{cluster}ca_file = {pem:?}"), "put certificates there"),
        (format!("{cluster}ca_file = {gone:?}"), "cannot be read"),
        (cluster.replace("kubernetes'", "github'"), "mappings must say who is let in"),
        (format!("{cluster}token_lifetime_max_seconds = 7200"), "from 1 to 3600"),
    ] {
        let said = folder.check(&toml);
        assert!(!said.ok, "{toml}");
        says(&said, &["prod: ", says_so]);
    }
}

#[test]
fn what_is_asked_for_in_json_fails_in_json() {
    let folder = Folder::new();
    let data = folder.path("data");
    let data = data.to_str().unwrap();
    for (words, code, says_so) in [
        (&["serve", "--json", "--data-dir", data, "--listen", "0.0.0.0:0"][..], 1, "public_url"),
        (&["serve", "--json", "--lissten", "x"], 2, "--lissten"),
    ] {
        let output = command().args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{words:?}");
        assert!(output.stdout.is_empty());
        let said: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        let error = said["error"].as_str().unwrap();
        assert!(error.contains(says_so) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn a_wrong_file_is_named() {
    let said = run(command().args(["config", "check", "--config", "/nowhere/landfall.toml"]));
    assert!(!said.ok);
    says(&said, &["/nowhere/landfall.toml cannot be read", "check --config"]);
    let folder = Folder::new();
    says(&folder.check("listen = "), &["landfall.toml is not TOML", "line 2"]);
    says(&folder.check("localhost_listen = '0.0.0.0:80'"), &["localhost_listen", "loopback"]);
    let none = run(command().args(["config", "check"]));
    says(&none, &["--data-dir DIR"]);
}

#[test]
fn a_log_filter_that_cannot_be_read_is_found_before_the_start() {
    let folder = Folder::new();
    let good = folder.check("log_filter = 'warn,landfall_server=debug'");
    assert!(good.ok, "{good:?}");
    says(&good, &["Logs             warn,landfall_server=debug"]);
    let bad = folder.check("log_filter = 'landfall_server=loud'");
    assert!(!bad.ok, "{bad:?}");
    says(&bad, &["log_filter cannot be read", "It is a level, such as info"]);
}

#[test]
fn a_program_hears_where_the_server_listens_behind_a_public_address() {
    let folder = Folder::new();
    let serving = Serving::start(&folder.path("data"), |command| {
        command.env("LANDFALL_PUBLIC_URL", "https://id.example.org");
    });
    let ready = serving.unwrap().ready.clone();
    assert_eq!(ready["https"], "https://id.example.org");
    let listen: std::net::SocketAddr = ready["listen"].as_str().unwrap().parse().unwrap();
    assert!(listen.ip().is_loopback() && listen.port() != 0, "{listen}");
}

#[test]
fn agents_are_issued_by_whom_the_server_will_say_and_no_key_is_two_of_them() {
    let folder = Folder::new();
    let agents = "[agents]\nloopback = true\nloopback_listen = \"127.0.0.1:4567\"\n";
    let said = folder.check(agents);
    assert!(said.ok, "{said:?}");
    says(&said, &["issued by http://127.0.0.1:4567 as aauth:...@127.0.0.1"]);
    let said = folder.check(&agents.replace("4567", "0"));
    says(&said, &["issued by http://127.0.0.1 and the port that is taken"]);

    let key = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    let listed =
        |name: &str, key: &str| format!("[[agents.allow]]\nkey = \"{key}\"\nname = \"{name}\"\n");
    let other = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";
    let base = "[agents]\nloopback = true\nenrolment = [\"allow-list\"]\n";
    let two = |second: String| format!("{base}{}{second}", listed("one", key));
    assert!(folder.check(&two(listed("two", other))).ok);
    for twice in [listed("two", key), listed("one", other)] {
        let said = folder.check(&two(twice));
        assert!(!said.ok, "{said:?}");
        says(&said, &["agents.allow names a key or an agent twice"]);
    }
}
