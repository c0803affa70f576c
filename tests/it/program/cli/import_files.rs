//! What is said of a file of accounts that is not as it should be, before anything is changed?

use std::fs;

use serde_json::Value;

use crate::support::{Scratch, database::TestDatabase, program};

/// What a run says of a file with this name and text: its exit code, and the lines and reasons of mistakes.
struct Said {
    code: i32,
    report: Value,
    mistakes: Vec<(u64, String)>,
}

fn said(database: &TestDatabase, name: &str, text: &str, flags: &[&str]) -> Said {
    let scratch = Scratch::create();
    let file = scratch.path().join(name);
    fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let mut command = program::command(&[&["--json", "import", "accounts", file], flags].concat());
    let output = program::run(command.env("DATABASE_URL", database.url()));
    let report = program::json(&output);
    let mistakes = report["mistakes"].as_array().unwrap().iter();
    let mistakes = mistakes
        .map(|mistake| (mistake["line"].as_u64().unwrap(), mistake["reason"].as_str().unwrap().to_owned()));
    Said { code: program::code(&output), mistakes: mistakes.collect(), report }
}

fn reasons(said: &Said) -> Vec<&str> {
    said.mistakes.iter().map(|(_, reason)| reason.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_two_accounts_of_a_file_name_is_told_with_both_lines() {
    let database = TestDatabase::create().await;
    let csv = "account,customer,source,amount\nada,cus_1,bonus,1\nada,,bonus,2\nbob,cus_1,,\ncleo,cus_2,,\n";
    let ndjson =
        "{\"account\":\"ada\",\"customer\":\"cus_1\"}\n\n\n{\"account\":\"bob\",\"customer\":\"cus_1\"}\n";
    for flags in [["--dry-run"].as_slice(), &[], &["--continue"]] {
        for (name, text, earlier) in [("a.csv", csv, 2), ("a.ndjson", ndjson, 1)] {
            let said = said(&database, name, text, flags);
            let reason = format!(
                "the customer `cus_1` is that of line {earlier} already; a customer stands for one account"
            );
            assert_eq!((said.code, said.mistakes), (1, vec![(4, reason)]), "{}", said.report);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_columns_is_told_at_once_and_by_its_name() {
    let database = TestDatabase::create().await;
    let of = |header: &str| said(&database, "a.csv", &format!("{header}\nada\n"), &[]);
    let several = of("acount,sorce,amount,,amount,amount,metadata.,metadata.segment,sauce");
    assert_eq!(
        reasons(&several),
        [
            "unknown column `acount`; did you mean `account`?",
            "unknown column `sorce`; did you mean `source`?",
            "column 4 has no name",
            "the column `amount` is there more than once",
            "unknown column `metadata.`",
            "unknown column `sauce`",
            "the column `account` is missing, which says whose grant a line is",
        ]
    );
    assert_eq!((several.code, several.report["unreadable"].as_u64()), (1, Some(7)));
    for (header, separator) in [("account;customer", "semicolons"), ("account\tcustomer", "tabs")] {
        let expected = format!("there are {separator} between the columns; commas are expected");
        assert_eq!(reasons(&of(header)), [expected.as_str()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_lines_is_told_in_their_order_and_in_words() {
    let database = TestDatabase::create().await;
    let rows = [
        "account,grant_id,source,amount,cost,currency",
        "ada,,bonus,1,3.00,usd",
        "bob,,bonus,1,300,usx",
        "cleo,one,bonus,1,,",
        "cleo,,bonus,1,,",
        "cleo,one,bonus,1,,",
        "dan,moved_2,bonus,1,,",
        "dan,,bonus,1,,",
        "bob,,bonus,1,,",
        "eve,,bonus,none,,",
        "dan,,bonus,1,,",
    ];
    let said = said(&database, "a.csv", &rows.join("\n"), &[]);
    let lines: Vec<u64> = said.mistakes.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 6, 10, 11], "{}", said.report);
    for (reason, expected) in reasons(&said).iter().zip([
        "a whole number of minor units, such as 300 for 3.00 usd",
        "unknown currency `usx`; did you mean `usd`?",
        "`grant_id`: `one` is the id of another grant of the account",
        "amount",
        "the account is in line 7 already; its lines have to follow each other",
    ]) {
        assert!(reason.contains(expected), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_may_begin_with_a_mark_and_an_account_that_is_there_twice_is_told() {
    let database = TestDatabase::create().await;
    let twice = "\u{feff}{\"account\":\"ada\"}\n{\"account\":\"ada\"}\n";
    let told = said(&database, "a.ndjson", twice, &[]);
    assert_eq!(told.mistakes, [(2, "the account is in line 1 already".to_owned())], "{}", told.report);
    let fine = said(&database, "a.ndjson", "\u{feff}{\"account\":\"ada\"}\n", &[]);
    assert_eq!((fine.code, fine.report["imported"].as_u64()), (0, Some(1)), "{}", fine.report);
    let scratch = Scratch::create();
    let file = scratch.path().join("a.ndjson");
    fs::write(&file, "{}\n").unwrap();
    let mut command = program::command(&["import", "accounts", file.to_str().unwrap()]);
    let output = program::run(command.env("DATABASE_URL", database.url()));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("1 line cannot be read."), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_the_run_then_does() {
    let database = TestDatabase::create().await;
    let first =
        "account,customer,source,amount\nsame,cus_1,bonus,5\nchanged,cus_2,bonus,5\nother,cus_taken,,\n";
    assert_eq!(said(&database, "a.csv", first, &[]).code, 0);
    let rows = [
        "account,customer,source,amount,expires_at",
        "same,cus_1,bonus,5,",
        "changed,cus_2,bonus,6,",
        "taker,cus_taken,bonus,5,",
        "late,,bonus,5,2020-01-01T00:00:00Z",
        "new,cus_3,bonus,5,",
    ];
    let counts = |said: &Said| {
        ["imported", "there_already", "refused"].map(|name| said.report[name].as_u64().unwrap())
    };
    let foreseen = said(&database, "a.csv", &rows.join("\n"), &["--dry-run"]);
    let done = said(&database, "a.csv", &rows.join("\n"), &["--continue"]);
    assert_eq!(counts(&foreseen), [1, 1, 3], "{}", foreseen.report);
    assert_eq!((counts(&foreseen), foreseen.code), (counts(&done), done.code), "{}", done.report);
    assert_eq!(foreseen.mistakes, done.mistakes);
    let lines: Vec<u64> = foreseen.mistakes.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 5]);
}
