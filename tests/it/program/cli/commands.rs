//! Do the commands beside `serve` do what they say, and exit as they say?

use std::process::Command;

use counterfoil::{
    clock::Clock,
    domain::{
        amount::{Currency, Money},
        command::{Command as LedgerCommand, PaymentCommand},
        ids::ProviderId,
    },
    ledger::IdempotencyKey,
    sandbox::{Sandbox, SandboxOptions},
};

use crate::support::{
    Scratch,
    database::TestDatabase,
    ledger::{request, start},
    program,
    program::Served,
};

fn on<'a>(command: &'a mut Command, database: &TestDatabase) -> &'a mut Command {
    command.env("DATABASE_URL", database.url())
}

#[test]
fn the_help_of_each_command_names_its_exit_codes_or_examples() {
    let top = program::run(&mut program::command(&["--help"]));
    assert_eq!(program::code(&top), 0);
    let text = String::from_utf8(top.stdout).unwrap();
    assert!(text.contains("Exit codes:") && text.contains("Examples:"), "{text}");
    for path in [
        ["serve", "--help", ""],
        ["sandbox", "--help", ""],
        ["migrate", "--help", ""],
        ["doctor", "--help", ""],
        ["catalog", "check", "--help"],
        ["keys", "create", "--help"],
        ["stripe", "send", "--help"],
        ["stripe", "setup", "--help"],
        ["stripe", "doctor", "--help"],
        ["stripe", "reconcile", "--help"],
        ["inbox", "list", "--help"],
        ["inbox", "retry", "--help"],
        ["import", "accounts", "--help"],
        ["projections", "rebuild", "--help"],
        ["shards", "grow", "--help"],
        ["audit", "replay", "--help"],
        ["audit", "verify", "--help"],
        ["bench", "--help", ""],
        ["openapi", "--help", ""],
    ] {
        let arguments: Vec<&str> = path.into_iter().filter(|argument| !argument.is_empty()).collect();
        let help = program::run(&mut program::command(&arguments));
        assert_eq!(program::code(&help), 0, "{arguments:?}");
        assert!(String::from_utf8(help.stdout).unwrap().contains("Example"), "{arguments:?} has no example");
    }
}

/// The paths of all commands, from their own lists of commands.
fn paths(of: &[String]) -> Vec<Vec<String>> {
    let help = help(of, "100");
    let listed = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
    let listed = listed.lines().take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let inside = names.flat_map(|name| paths(&[of, &[name.to_owned()]].concat()));
    [of.to_vec()].into_iter().chain(inside).collect()
}

fn help(of: &[String], columns: &str) -> String {
    let arguments: Vec<&str> = of.iter().map(String::as_str).chain(["--help"]).collect();
    let help = program::run(program::command(&arguments).env("COLUMNS", columns));
    assert_eq!(program::code(&help), 0, "{of:?}");
    String::from_utf8(help.stdout).unwrap()
}

#[test]
fn a_help_is_broken_only_where_the_line_is_full_and_explains_each_argument() {
    let paths = paths(&[]);
    assert!(paths.len() > 25, "{paths:?}");
    for path in paths {
        for (columns, width) in [("80", 80), ("100", 100)] {
            let help = help(&path, columns);
            let lines: Vec<&str> = help.lines().collect();
            for pair in lines.windows(2) {
                let [line, next] = pair else { continue };
                let is_prose = |line: &str| line.starts_with(|first: char| !first.is_whitespace());
                if !is_prose(line) || !is_prose(next) || line.ends_with(':') {
                    continue;
                }
                let word = next.split(' ').next().unwrap_or_default();
                let joined = line.chars().count() + 1 + word.chars().count();
                assert!(joined > width, "{path:?} at {columns}: {line} / {next}");
            }
            // What an argument is stands beside its name, or in the line below.
            let arguments = help.split_once("\nArguments:\n").map_or("", |(_, rest)| rest);
            let arguments: Vec<&str> =
                arguments.lines().take_while(|line| line.is_empty() || line.starts_with(' ')).collect();
            for (number, line) in arguments.iter().enumerate().filter(|(_, line)| line.starts_with("  <")) {
                let beside = line.split_once('>').is_some_and(|(_, beside)| !beside.trim().is_empty());
                let below = arguments.get(number + 1).is_some_and(|below| below.starts_with("      "));
                assert!(beside || below, "{path:?}: {line}");
            }
        }
    }
}

#[test]
fn a_wrong_command_is_a_wrong_use() {
    assert_eq!(program::code(&program::run(&mut program::command(&["sevre"]))), 2);
    assert_eq!(program::code(&program::run(&mut program::command(&["keys", "create", "--name", "x"]))), 2);
}

#[test]
fn the_description_of_the_interface_is_printed() {
    let printed = program::run(&mut program::command(&["openapi"]));
    assert_eq!(program::json(&printed)["openapi"], "3.1.0");
}

#[test]
fn a_catalog_is_checked() {
    let right = program::run(&mut program::command(&["catalog", "check", "catalogs/music.toml"]));
    assert_eq!(program::code(&right), 0, "{}", program::stderr(&right));
    let with_trials = program::run(&mut program::command(&["catalog", "check", "catalogs/promptforge.toml"]));
    let shown = String::from_utf8_lossy(&with_trials.stdout);
    assert!(shown.contains("trial") && shown.contains("14 days, "), "{shown}");
    let wrong = program::run(&mut program::command(&["--json", "catalog", "check", "Cargo.toml"]));
    assert_eq!(program::code(&wrong), 1);
    assert!(program::json(&wrong)["mistakes"].as_array().unwrap().len() > 1);
}

/// Before anything else is done: the database of these settings is not there.
#[test]
fn a_file_that_cannot_be_read_is_a_fault_that_is_said_first() {
    for command in [
        &["catalog", "check"][..],
        &["catalog", "check", "--with-database"],
        &["import", "accounts", "--format", "csv"],
        &["stripe", "send", "Cargo.toml"],
    ] {
        for file in ["nofile.toml", "/"] {
            let mut told = program::command(&[command, &[file]].concat());
            told.env("DATABASE_URL", "postgres://localhost:1/none")
                .env("STRIPE_WEBHOOK_SECRET", "whsec_test");
            let told = program::run(&mut told);
            assert_eq!(program::code(&told), 3, "{command:?} {file}: {}", program::stderr(&told));
            let reason = format!("cannot read {file}: ");
            assert!(program::stderr(&told).contains(&reason), "{}", program::stderr(&told));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_listed_and_ended() {
    let database = TestDatabase::create().await;
    let arguments = [
        "--json",
        "keys",
        "create",
        "--name",
        "backend",
        "--scope",
        "deduct",
        "--scope",
        "read",
        "--account",
        "acme",
    ];
    let created = program::json(&program::run(on(&mut program::command(&arguments), &database)));
    assert!(created["secret"].as_str().unwrap().starts_with("cf_test_"));
    let id = created["id"].as_str().unwrap();

    let listed = program::run(on(&mut program::command(&["--json", "keys", "list"]), &database));
    assert_eq!(program::json(&listed)[0]["accounts"][0], "acme");
    assert!(!String::from_utf8_lossy(&listed.stdout).contains(created["secret"].as_str().unwrap()));

    let revoke =
        |id: &str| program::run(on(&mut program::command(&["--json", "keys", "revoke", id]), &database));
    assert!(program::json(&revoke(id))["revoked_at"].is_string());
    let unknown = revoke("key_none");
    assert_eq!(program::code(&unknown), 1);
    assert!(program::stderr(&unknown).contains("there is no key `key_none`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_name_or_that_is_over_is_not_made() {
    let database = TestDatabase::create().await;
    let create = |name: &str, end: &str| {
        let arguments = ["keys", "create", "--scope", "read", "--name", name, "--expires-at", end];
        program::run(on(&mut program::command(&arguments), &database))
    };
    for (name, end, because) in [
        ("", "2999-01-01T00:00:00Z", "a text has 1 to 500 characters"),
        ("two\nlines", "2999-01-01T00:00:00Z", "none of them a control character"),
        ("late", "2020-01-01T00:00:00Z", "--expires-at: it is in the past"),
    ] {
        let refused = create(name, end);
        assert_eq!(program::code(&refused), 2, "{name}");
        assert!(program::stderr(&refused).contains(because), "{}", program::stderr(&refused));
    }
    assert_eq!(program::code(&create("right", "2999-01-01T00:00:00Z")), 0);
    let listed =
        program::json(&program::run(on(&mut program::command(&["--json", "keys", "list"]), &database)));
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_read_and_verified() {
    let database = TestDatabase::create().await;
    for (arguments, code) in [
        (["migrate"].as_slice(), 0),
        (&["inbox", "list"], 0),
        (&["inbox", "show", "evt_none"], 1),
        (&["inbox", "retry", "evt_none"], 1),
        (&["inbox", "discard", "evt_none", "--reason", "a test"], 1),
        (&["projections", "list"], 0),
        (&["projections", "rebuild", "usage"], 0),
        (&["projections", "rebuild", "none"], 1),
        (&["projections", "unpark", "usage", "acme"], 1),
        (&["projections", "resume", "usage"], 0),
        (&["shards", "list"], 0),
        (&["shards", "grow", "--to", "3"], 2),
        (&["shards", "grow", "--to", "1024"], 1),
        (&["audit", "verify"], 0),
        (&["audit", "replay", "acme"], 1),
    ] {
        let output = program::run(on(&mut program::command(arguments), &database));
        assert_eq!(program::code(&output), code, "{arguments:?}: {}", program::stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_compared_with_stripe_and_put_right() {
    let database = TestDatabase::create().await;
    let clock = Clock::system();
    let options = SandboxOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        webhook: None,
        signing_clock: clock.clone(),
        clock,
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let url = sandbox.url();
    let made = reqwest::Client::new().post(format!("{url}/v1/customers")).bearer_auth("sk_test_owner");
    let made = made.form(&[("metadata[account_id]", "acme")]).send().await.unwrap();
    assert!(made.status().is_success());
    let reconcile = |arguments: &[&str]| {
        let mut command = program::command(&[&["--json", "stripe", "reconcile"], arguments].concat());
        command.env("STRIPE_SECRET_KEY", "sk_test_shop").env("STRIPE_API_URL", &url);
        program::run(on(&mut command, &database))
    };
    let found = reconcile(&[]);
    assert_eq!(program::code(&found), 1, "{}", program::stderr(&found));
    let missing = &program::json(&found)["missing_events"][0];
    assert_eq!((&missing["type"], &missing["repaired"]), (&"customer.created".into(), &false.into()));
    let repaired = reconcile(&["--repair", "--since", "7"]);
    assert_eq!(program::code(&repaired), 0, "{}", program::stderr(&repaired));
    assert_eq!(program::json(&repaired)["missing_events"][0]["repaired"], true);
    let kept = program::run(on(&mut program::command(&["--json", "inbox", "list"]), &database));
    let kept = &program::json(&kept)["events"][0];
    assert_eq!((&kept["state"], &kept["proof"]), (&"processed".into(), &"listed".into()));
    let shown = program::run(on(
        program::command(&["stripe", "reconcile"])
            .env("STRIPE_SECRET_KEY", "sk_test_shop")
            .env("STRIPE_API_URL", &url),
        &database,
    ));
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("1 events and 1 objects were read at Stripe. The ledger says the same."), "{text}");
    // A refund that has no id of Stripe's cannot be asked for.
    let (ledger, running) = start(database.pool(), Clock::system()).await;
    let refund = LedgerCommand::Payment(PaymentCommand::RecordRefund {
        refund: ProviderId::parse("refund_1").unwrap(),
        payment: ProviderId::parse("pi_1").unwrap(),
        money: Money { minor: 100, currency: Currency::parse("usd").unwrap() },
        effective_at: Clock::system().now(),
    });
    ledger.execute(request("acme", refund, IdempotencyKey::caller("refund"))).await.unwrap();
    drop(ledger);
    running.finished().await;
    let left_out = program::run(on(
        program::command(&["stripe", "reconcile"])
            .env("STRIPE_SECRET_KEY", "sk_test_shop")
            .env("STRIPE_API_URL", &url),
        &database,
    ));
    assert_eq!(program::code(&left_out), 0, "{}", program::stderr(&left_out));
    let text = String::from_utf8(left_out.stdout).unwrap();
    assert!(text.contains("refund_1 is not how Stripe writes an id of its own"), "{text}");
    assert!(text.contains("The ledger says the same of all else."), "{text}");
    assert!(!text.contains("The ledger says the same.\n"), "{text}");
    let without_a_key = program::run(on(&mut program::command(&["stripe", "reconcile"]), &database));
    assert_eq!(program::code(&without_a_key), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_a_fault() {
    let database = TestDatabase::create().await;
    let missing = database.connect_options().database("none_of_that_name");
    let url = sqlx::ConnectOptions::to_url_lossy(&missing).to_string();
    let mut command = program::command(&["--json", "keys", "list"]);
    let output = program::run(command.env("DATABASE_URL", url));
    assert_eq!(program::code(&output), 3);
    let said: serde_json::Value =
        serde_json::from_str(program::stderr(&output).lines().last().unwrap()).unwrap();
    assert!(said["error"].as_str().unwrap().contains("DATABASE_URL"), "{said}");
}

#[test]
fn commands_share_the_database_of_a_program_that_serves() {
    let scratch = Scratch::create();
    let list = || {
        program::run(
            program::command(&["--json", "keys", "list"]).env("COUNTERFOIL_DATA_DIR", scratch.path()),
        )
    };
    // Nobody serves: the command starts the database for as long as it needs it.
    assert_eq!(program::json(&list()).as_array().unwrap().len(), 0);
    let served = Served::embedded(scratch.path());
    assert_eq!(program::json(&list())[0]["name"], "bootstrap");
    assert_eq!(served.stop().code(), Some(0));
    assert_eq!(program::json(&list()).as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_is_measured() {
    let database = TestDatabase::create().await;
    let served = Served::on(&database.url());
    let url = served.url("");
    let arguments = [
        "--json",
        "bench",
        "--url",
        &url,
        "--key",
        served.admin_key(),
        "--seconds",
        "1",
        "--connections",
        "8",
    ];
    let measured = program::run(&mut program::command(&arguments));
    assert_eq!(program::code(&measured), 0, "{}", program::stderr(&measured));
    let figures = program::json(&measured);
    assert_eq!(figures.as_array().unwrap().len(), 3);
    assert!(figures[0]["items_per_second"].as_u64().unwrap() > 0);
    assert_eq!(served.stop().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_signed_sent_and_seen_to() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let served = Served::start(|command| {
        command.env("DATABASE_URL", &url).env("STRIPE_WEBHOOK_SECRET", "whsec_a_test,whsec_an_older_one");
    });
    let webhooks = served.url("/v1/webhooks/stripe");
    let send = |secret: &str, file: &str| {
        let arguments = ["--json", "stripe", "send", "--url", &webhooks, file];
        program::run(program::command(&arguments).env("STRIPE_WEBHOOK_SECRET", secret).env("HOME", "/tmp"))
    };
    let event = "tests/it/support/webhooks/2025-basil/product.created.json";
    let sent = send("whsec_an_older_one", event);
    assert_eq!(program::code(&sent), 0, "{}", program::stderr(&sent));
    assert_eq!(program::json(&sent)[0]["status"], 200);
    assert_eq!(program::code(&send("whsec_of_somebody_else", event)), 1);
    assert_eq!(program::code(&send("", event)), 2, "nothing can be signed");

    let id = program::json(&sent)[0]["event"].as_str().unwrap().to_owned();
    let shown = program::run(program::command(&["--json", "inbox", "show", &id]).env("DATABASE_URL", &url));
    assert_eq!(program::json(&shown)["body"]["id"], id.as_str());
    let retry = ["inbox", "retry", &id];
    // Until the server has seen to it, the event waits already and cannot be made to.
    let retried = program::run(program::command(&retry).env("DATABASE_URL", &url));
    assert!(matches!(program::code(&retried), 0 | 1), "{}", program::stderr(&retried));
}
