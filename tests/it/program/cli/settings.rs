//! Is everything that is wrong with the settings said at once, and in words that help?

use std::collections::BTreeMap;
use std::path::Path;

use counterfoil::catalog::Mode;
use counterfoil::config::{
    CatalogChoice, Config, DatabaseConfig, LogFormat, SettingMistakes, SettingSources,
};
use counterfoil::domain::{
    ids::AccountId,
    rollout::{BillingState, Reach, place},
};
use counterfoil::{
    queue::{Backoff, Retries},
    stripe::inbound::processor::RETRIES,
};

use crate::support::program;

fn given(environment: &[(&str, &str)]) -> SettingSources {
    let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let home = [("HOME".to_owned(), "/home/ada".to_owned())];
    SettingSources::new(BTreeMap::new(), pairs.chain(home).collect())
}

fn read(environment: &[(&str, &str)]) -> Config {
    Config::read(&given(environment)).expect("the settings are right")
}

fn mistakes(environment: &[(&str, &str)]) -> SettingMistakes {
    match Config::read_with_catalog(&given(environment)) {
        Ok(_) => panic!("nothing is wrong"),
        Err(mistakes) => mistakes,
    }
}

#[test]
fn without_settings_there_are_defaults() {
    let (config, catalog) = Config::read_with_catalog(&given(&[])).expect("nothing has to be set");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.mode, Mode::Test);
    assert_eq!(config.log.filter, "info");
    assert_eq!(config.log.format, LogFormat::Auto);
    assert!(config.bootstrap_key.is_none() && config.webhook_secrets.is_empty());
    assert_eq!(catalog.catalog.name, "Music");
}

#[test]
fn a_flag_goes_before_a_variable() {
    let environment = BTreeMap::from([("COUNTERFOIL_LISTEN".to_owned(), "127.0.0.1:1".to_owned())]);
    let flags = BTreeMap::from([("COUNTERFOIL_LISTEN", "127.0.0.1:2".to_owned())]);
    let config = Config::read(&SettingSources::new(flags, environment)).unwrap();
    assert_eq!(config.listen.port(), 2);
}

#[test]
fn an_empty_variable_counts_as_unset() {
    assert_eq!(read(&[("COUNTERFOIL_LISTEN", ""), ("DATABASE_URL", " ")]).listen.port(), 8080);
}

#[test]
fn a_database_url_replaces_the_embedded_database() {
    let config = read(&[("DATABASE_URL", "postgres://ada@db/ledger"), ("COUNTERFOIL_DATA_DIR", "/data")]);
    assert!(matches!(config.database, DatabaseConfig::External(_)));
    let config = read(&[("COUNTERFOIL_DATA_DIR", "/data")]);
    assert!(
        matches!(config.database, DatabaseConfig::Embedded { data_directory, .. } if data_directory == Path::new("/data"))
    );
}

#[test]
fn a_journal_has_a_power_of_two_of_shards() {
    assert_eq!((read(&[]).shards, read(&[("COUNTERFOIL_SHARDS", "32")]).shards), (None, Some(32)));
    for wrong in ["0", "3", "2048", "-1", "many", "1.0"] {
        let said = mistakes(&[("COUNTERFOIL_SHARDS", wrong)]).to_string();
        assert!(said.contains("it has to be 1, 2, 4, 8 and so on, at most 1024"), "{said}");
    }
}

#[test]
fn the_key_of_stripe_says_which_mode_it_is() {
    assert_eq!(read(&[("STRIPE_SECRET_KEY", "rk_live_abc")]).mode, Mode::Live);
    assert_eq!(read(&[("STRIPE_SECRET_KEY", "sk_test_abc")]).mode, Mode::Test);
    assert_eq!(read(&[("COUNTERFOIL_MODE", "live")]).mode, Mode::Live);
    let contradiction = mistakes(&[("STRIPE_SECRET_KEY", "sk_live_abc"), ("COUNTERFOIL_MODE", "test")]);
    assert!(contradiction.to_string().contains("of the other mode"), "{contradiction}");
}

#[test]
fn a_live_key_is_not_sent_where_it_could_be_read() {
    let live = ("STRIPE_SECRET_KEY", "sk_live_abc");
    let open = mistakes(&[live, ("STRIPE_API_URL", "http://127.0.0.1:12111")]);
    assert!(open.to_string().contains("only sent to an https address"), "{open}");
    assert!(read(&[live, ("STRIPE_API_URL", "https://proxy.example")]).billing.on);
    let config = read(&[("STRIPE_SECRET_KEY", "sk_test_abc"), ("STRIPE_API_URL", "http://127.0.0.1:12111")]);
    assert!(config.billing.key.is_some());
    assert!(!read(&[("COUNTERFOIL_BILLING", "off")]).billing.on);
    for (set, hour) in [("0", Some(0)), ("23", Some(23)), ("off", None)] {
        assert_eq!(read(&[("COUNTERFOIL_RECONCILE_HOUR", set)]).billing.reconcile_hour, hour);
    }
}

#[test]
fn billing_is_on_for_those_that_are_said() {
    let state =
        |config: &Config, account: &str| config.billing.rollout.state_of(&AccountId::parse(account).unwrap());
    for (set, reach) in [
        ("on", Reach::On),
        ("100%", Reach::On),
        ("100.00%", Reach::On),
        ("99.99%", Reach::Partly),
        ("0.01%", Reach::Partly),
        ("0%", Reach::Off),
    ] {
        let config = read(&[("COUNTERFOIL_BILLING", set)]);
        assert_eq!((config.billing.on, config.billing.rollout.reach()), (true, reach), "{set}");
    }
    let off = read(&[("COUNTERFOIL_BILLING", "off"), ("COUNTERFOIL_BILLING_ACCOUNTS", "ada")]);
    assert!(!off.billing.on, "a switch for emergencies works whatever else is set");
    // `ada` has the place 381, `band` 6776.
    assert_eq!(["ada", "band"].map(|account| place(&AccountId::parse(account).unwrap())), [381, 6_776]);
    for (set, ada, band) in [("3.81%", false, false), ("3.82%", true, false), ("67.77%", true, true)] {
        let config = read(&[("COUNTERFOIL_BILLING", set)]);
        let expected = [ada, band].map(|is_on| if is_on { BillingState::On } else { BillingState::Off });
        assert_eq!(["ada", "band"].map(|account| state(&config, account)), expected, "{set}");
    }
    let named = read(&[
        ("COUNTERFOIL_BILLING", "5%"),
        ("COUNTERFOIL_BILLING_ACCOUNTS", "band, eve ,"),
        ("COUNTERFOIL_BILLING_EXCEPT", "ada"),
    ]);
    let states = ["ada", "band", "eve", "acme"].map(|account| state(&named, account));
    assert_eq!(states, [BillingState::Off, BillingState::On, BillingState::On, BillingState::Off]);
    assert_eq!(named.billing.settings().rollout, named.billing.rollout);
    let all_but = read(&[("COUNTERFOIL_BILLING_EXCEPT", "ada")]);
    assert_eq!(all_but.billing.rollout.reach(), Reach::Partly);
}

#[test]
fn a_file_names_accounts_one_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accounts");
    std::fs::write(&file, "# the first ones\nada\n\n  bob\r\n").unwrap();
    let list = format!("eve,@{}", file.display());
    let config = read(&[("COUNTERFOIL_BILLING", "0%"), ("COUNTERFOIL_BILLING_ACCOUNTS", &list)]);
    for (account, is_on) in [("ada", true), ("bob", true), ("eve", true), ("acme", false)] {
        let state = config.billing.rollout.state_of(&AccountId::parse(account).unwrap());
        assert_eq!(state.is_on(), is_on, "{account}");
    }
    std::fs::write(&file, "ada\nada@example.com\n").unwrap();
    let said = mistakes(&[("COUNTERFOIL_BILLING_EXCEPT", &list)]).to_string();
    assert!(said.contains("accounts, line 2: `…@example.com` is no account"), "{said}");
}

#[test]
fn lists_of_accounts_that_contradict_are_refused() {
    let list = ("COUNTERFOIL_BILLING_ACCOUNTS", "ada");
    for everybody in [&[list][..], &[list, ("COUNTERFOIL_BILLING", "on")]] {
        let said = mistakes(everybody).to_string();
        assert!(said.contains("COUNTERFOIL_BILLING_ACCOUNTS: with COUNTERFOIL_BILLING=on"), "{said}");
        assert!(said.contains("set a share, such as 0%, to sell to these alone"), "{said}");
    }
    assert!(read(&[list, ("COUNTERFOIL_BILLING", "100%")]).billing.on, "a list may stay to the end");
    let both = mistakes(&[list, ("COUNTERFOIL_BILLING", "5%"), ("COUNTERFOIL_BILLING_EXCEPT", "bob,ada")]);
    let said = "COUNTERFOIL_BILLING_EXCEPT: `ada` is in COUNTERFOIL_BILLING_ACCOUNTS, too";
    assert!(both.to_string().contains(said), "{both}");
    let missing =
        mistakes(&[("COUNTERFOIL_BILLING", "5%"), ("COUNTERFOIL_BILLING_ACCOUNTS", "@/nonexistent/list")]);
    assert!(missing.to_string().contains("cannot read /nonexistent/list"), "{missing}");
    for share in
        ["101%", "-1%", "25", "25.555%", "25.%", ".5%", "%", "1e1%", "25 %", "+5%", "100.01%", "ON", "٢٥%"]
    {
        let said = mistakes(&[("COUNTERFOIL_BILLING", share)]).to_string();
        assert!(
            said.contains("it has to be `on`, `off`, or a share of the accounts from 0% to 100%"),
            "{share}: {said}"
        );
    }
}

#[test]
fn a_webhook_is_tried_as_often_as_is_said() {
    assert_eq!(read(&[]).inbox, RETRIES);
    let set = [
        ("COUNTERFOIL_INBOX_ATTEMPTS", "40"),
        ("COUNTERFOIL_INBOX_DELAY_MIN_S", "5"),
        ("COUNTERFOIL_INBOX_DELAY_MAX_S", "600"),
    ];
    let backoff = Backoff { delay_s_min: 5, delay_s_max: 600 };
    assert_eq!(read(&set).inbox, Retries { attempts_max: 40, backoff });
    let less = mistakes(&[("COUNTERFOIL_INBOX_DELAY_MIN_S", "60"), ("COUNTERFOIL_INBOX_DELAY_MAX_S", "30")]);
    assert!(less.to_string().contains("it has to be at least COUNTERFOIL_INBOX_DELAY_MIN_S, 60"), "{less}");
}

#[test]
fn webhooks_have_the_version_that_is_said_if_it_is_read() {
    assert_eq!(read(&[]).billing.api_version, "2026-09-30.endive");
    for version in ["2023-10-16", "2025-03-31.basil", "2026-09-30.endive"] {
        assert_eq!(read(&[("STRIPE_API_VERSION", version)]).billing.api_version, version);
    }
    for version in ["2023-10-15", "2027-01-01", "basil", "2025-03-31.", "2025-3-31.basil", "2025-13-31.basil"]
    {
        let said = mistakes(&[("STRIPE_API_VERSION", version)]).to_string();
        assert!(said.contains("from 2023-10-16 to 2026-09-30.endive"), "{said}");
    }
}

#[test]
fn all_mistakes_are_said_at_once_each_with_what_is_allowed() {
    let mistakes = mistakes(&[
        ("COUNTERFOIL_LISTN", "127.0.0.1:9000"),
        ("COUNTERFOIL_LISTEN", "8080"),
        ("COUNTERFOIL_PORT", "8080"),
        ("COUNTERFOIL_TRIAL_DAYS", "14"),
        ("COUNTERFOIL_METRICS_LISTEN", "9464"),
        ("COUNTERFOIL_TRUSTED_PROXIES", "10.0.0.0/8,the proxy"),
        ("COUNTERFOIL_CATALOG", "/nonexistent/catalog.toml"),
        ("COUNTERFOIL_BOOTSTRAP_KEY", "too short"),
        ("COUNTERFOIL_MODE", "production"),
        ("COUNTERFOIL_LOG_FORMAT", "xml"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_a,,whsec_b"),
        ("STRIPE_SECRET_KEY", "pk_test_secret"),
        ("STRIPE_API_URL", "api.stripe.com"),
        ("STRIPE_PORTAL_CONFIGURATION", "the portal"),
        ("COUNTERFOIL_BILLING", "maybe"),
        ("COUNTERFOIL_BILLING_ACCOUNTS", "ada@example.com"),
        ("COUNTERFOIL_BILLING_EXCEPT", "ada bob"),
        ("COUNTERFOIL_RECONCILE_HOUR", "24"),
        ("STRIPE_API_VERSION", "2019-02-11"),
        ("COUNTERFOIL_INBOX_ATTEMPTS", "0"),
        ("COUNTERFOIL_INBOX_DELAY_MIN_S", "a second"),
        ("COUNTERFOIL_INBOX_DELAY_MAX_S", "86401"),
        ("DATABASE_URL", "mysql://user:hunter2@host/database"),
        ("RUST_LOG", "counterfoil=loud"),
    ]);
    let text = mistakes.to_string();
    for part in [
        "24 settings are wrong, and nothing was started:",
        "unknown setting `COUNTERFOIL_LISTN`; did you mean `COUNTERFOIL_LISTEN`?",
        "unknown setting `COUNTERFOIL_PORT`; did you mean `COUNTERFOIL_LISTEN`?",
        "unknown setting `COUNTERFOIL_TRIAL_DAYS`; the catalog says it, as `payments.trial_days`",
        "COUNTERFOIL_LISTEN: `8080` is not valid; it has to be an IP address and a port, such as 127.0.0.1:8080",
        "COUNTERFOIL_METRICS_LISTEN: `9464` is not valid; it has to be an IP address and a port, such as 127.0.0.1:9464",
        "COUNTERFOIL_TRUSTED_PROXIES: `10.0.0.0/8,the proxy` is not valid; it has to be a list of addresses and networks",
        "cannot read /nonexistent/catalog.toml",
        "COUNTERFOIL_BOOTSTRAP_KEY: `…` is not valid; a key has 32 to 256 visible ASCII characters",
        "COUNTERFOIL_MODE: `production` is not valid; it has to be `test` or `live`",
        "COUNTERFOIL_LOG_FORMAT: `xml` is not valid; it has to be `auto`, `text` or `json`",
        "STRIPE_WEBHOOK_SECRET: `…` is not valid",
        "STRIPE_SECRET_KEY: `…` is not valid; it has to begin with sk_test_",
        "STRIPE_API_URL: `api.stripe.com` is not valid; it has to be an address such as https://api.stripe.com",
        "COUNTERFOIL_BILLING: `maybe` is not valid; it has to be `on`, `off`, or a share of the accounts from 0% to 100%",
        "COUNTERFOIL_BILLING_ACCOUNTS: `…@example.com` is no account",
        "COUNTERFOIL_BILLING_EXCEPT: `ada bob` is no account",
        "STRIPE_PORTAL_CONFIGURATION: `the portal` is not valid; it has to be the id of a portal configuration",
        "STRIPE_API_VERSION: `2019-02-11` is not valid; it has to be a version of Stripe's API whose webhooks are read",
        "COUNTERFOIL_INBOX_ATTEMPTS: `0` is not valid; it has to be a whole number from 1 to 1000",
        "COUNTERFOIL_INBOX_DELAY_MIN_S: `a second` is not valid; it has to be a whole number from 1 to 86400",
        "COUNTERFOIL_INBOX_DELAY_MAX_S: `86401` is not valid; it has to be a whole number from 1 to 86400",
        "COUNTERFOIL_RECONCILE_HOUR: `24` is not valid; it has to be an hour from 0 to 23, or `off`",
        "DATABASE_URL: `…` is not valid; it has to be a URL such as postgres://",
        "RUST_LOG: `counterfoil=loud` is not valid; it has to be a level",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    for secret in ["hunter2", "whsec_a", "pk_test", "too short"] {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let config = read(&[
        ("DATABASE_URL", "postgres://ada:hunter2@db/ledger"),
        ("COUNTERFOIL_BOOTSTRAP_KEY", "cf_test_bootstrap_key_of_this_test"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_first,whsec_second"),
        ("STRIPE_SECRET_KEY", "sk_test_hidden"),
    ]);
    let shown = format!("{config:?}");
    for secret in ["hunter2", "bootstrap_key_of", "whsec_", "sk_test_"] {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
    }
}

#[test]
fn usual_names_that_are_not_read_are_said_with_ours() {
    let (_, catalog) = Config::read_with_catalog(&given(&[])).expect("nothing has to be set");
    let unread = |set: &[(&str, &str)]| {
        let environment = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let unread = SettingSources::new(BTreeMap::new(), environment).unread(&catalog.settings);
        unread.into_iter().map(|unread| (unread.name, unread.advice)).collect::<Vec<(String, String)>>()
    };
    for (usual, advice) in [
        ("PORT", "set COUNTERFOIL_LISTEN"),
        ("STRIPE_API_KEY", "set STRIPE_SECRET_KEY"),
        ("STRIPE_ENDPOINT_SECRET", "set STRIPE_WEBHOOK_SECRET"),
        ("POSTGRES_URL", "set DATABASE_URL"),
        ("LOG_LEVEL", "set RUST_LOG"),
        ("GRACE_PERIOD_DAYS", "the catalog says it, as `payments.grace_days`"),
    ] {
        assert_eq!(unread(&[(usual, "hunter2")]), [(usual.to_owned(), advice.to_owned())]);
        assert_eq!(unread(&[(usual, " ")]), [], "{usual} is set to nothing");
    }
    // The built-in catalog asks for the prices of its plans.
    assert_eq!(unread(&[("STRIPE_PRICE_BASIC", "price_1Basic")]), []);
    let slip = unread(&[("STRIPE_PRICE_BASICS", "price_1Basic")]);
    assert_eq!(slip[0].0, "STRIPE_PRICE_BASICS");
    assert!(slip[0].1.ends_with("did you mean `STRIPE_PRICE_BASIC`?"), "{slip:?}");
    // Whoever sets ours has it for somebody else.
    assert_eq!(unread(&[("PORT", "3000"), ("COUNTERFOIL_LISTEN", "127.0.0.1:8080")]), []);
    assert_eq!(unread(&[("STRIPE_SECRET_KEY", "sk_test_any"), ("HOME", "/home/ada"), ("PATH", "/bin")]), []);
}

#[test]
fn a_password_in_an_address_is_not_shown() {
    let refused = [
        ("STRIPE_API_URL", "https://ada:hunter2@api.stripe.com"),
        ("STRIPE_API_URL", "https://:hunter2@api.stripe.com"),
        ("COUNTERFOIL_LISTEN", "http://ada:hunter2@127.0.0.1:8080"),
        ("DATABASE_URL", "mysql://ada:hunter2@db/ledger"),
        ("COUNTERFOIL_MODE", "ada:hunter2@db"),
    ];
    for (name, value) in refused {
        let said = mistakes(&[(name, value)]).to_string();
        assert!(said.contains(name) && !said.contains("hunter2"), "{said}");
    }
    for arguments in [
        &["stripe", "setup", "--url", "http://ada:hunter2@ledger.example.com"][..],
        &["stripe", "send", "--url", "http://ada:hunter2@127.0.0.1:1/", "Cargo.toml"],
        &["bench", "--key=none", "--url", "http://ada:hunter2@127.0.0.1:8080"],
    ] {
        let run =
            program::run(program::command(arguments).env("STRIPE_WEBHOOK_SECRET", "whsec_of_this_test"));
        let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), program::stderr(&run));
        assert!(!said.is_empty() && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_program_whose_default_catalog_is_elsewhere_has_one_inside() {
    // The tests run where the file is, so both are looked at through what the program would choose.
    assert_eq!(read(&[]).catalog, CatalogChoice::File("catalogs/music.toml".into()));
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = program::command(&["serve", "--listen", "nowhere"]);
    let output = program::run(command.current_dir(elsewhere.path()).env("HOME", elsewhere.path()));
    assert!(!program::stderr(&output).contains("music.toml"), "only the address is wrong");
}

#[test]
fn the_mistakes_in_a_catalog_are_said_with_the_others() {
    let mistakes = mistakes(&[("COUNTERFOIL_CATALOG", "Cargo.toml"), ("COUNTERFOIL_LISTEN", "here")]);
    let of_catalog = mistakes.0.iter().filter(|mistake| mistake.subject == "Cargo.toml").count();
    assert!(of_catalog > 1, "{mistakes}");
    assert!(mistakes.0.iter().any(|mistake| mistake.subject == "COUNTERFOIL_LISTEN"), "{mistakes}");
}

#[test]
fn a_program_with_wrong_settings_does_not_start() {
    let mut command = program::command(&["serve"]);
    let output = program::run(
        command.env("COUNTERFOIL_LISTN", "x").env("COUNTERFOIL_LISTEN", "y").env("HOME", "/tmp"),
    );
    assert_eq!(program::code(&output), 2);
    assert!(output.stdout.is_empty());
    assert!(program::stderr(&output).contains("2 settings are wrong"), "{}", program::stderr(&output));
}
