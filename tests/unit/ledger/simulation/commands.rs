//! What do callers ask for? Few accounts and small amounts, so that commands meet each other.

use proptest::{prelude::RngExt, test_runner::TestRng};

use crate::{
    domain::{
        amount::Credits,
        command::{AccountCommand, Command, CreditsCommand, Excess, Generation, GrantCredits, HoldFor},
        credits::Source,
        ids::{AccountId, Actor, GenerationId, GenerationType, GrantId, HoldId},
        metadata::Metadata,
        recorded::Origin,
        time::Timestamp,
    },
    ledger::{IdempotencyKey, Provenance, Request},
};

const ACCOUNTS: [&str; 3] = ["ada", "ben", "cleo"];

fn credits(amount: i64) -> Credits {
    Credits::new(amount).expect("not negative")
}

fn generation(rng: &mut TestRng) -> Generation {
    let id = format!("gen-{}", rng.random_range(0..6));
    Generation {
        kind: GenerationType::parse("standard_generation").expect("the catalog has it"),
        options: std::collections::BTreeMap::new(),
        id: rng.random_bool(0.7).then(|| GenerationId::parse(&id).expect("an id")),
    }
}

/// What becomes of a hold: parts of it are spent, added and returned, and it ends.
fn of_hold(rng: &mut TestRng, hold_id: HoldId) -> CreditsCommand {
    let amount = credits(rng.random_range(1..6));
    match rng.random_range(0..8) {
        0..=3 => CreditsCommand::SpendHold { hold_id, amount, id: None, description: None },
        4..=5 => {
            CreditsCommand::TopUpHold { hold_id, amount, expires_in_s: rng.random_bool(0.5).then_some(300) }
        }
        6 => CreditsCommand::ReleaseHold { hold_id, amount: rng.random_bool(0.7).then_some(amount) },
        _ => CreditsCommand::CommitHold { hold_id, amount: None, excess: Excess::Reject },
    }
}

/// A hold, most likely one of the last.
fn newest(rng: &mut TestRng, holds: &[(AccountId, HoldId)]) -> Option<(AccountId, HoldId)> {
    let back = rng.random_range(1..=holds.len().clamp(1, 4));
    holds.len().checked_sub(back).map(|index| holds[index].clone())
}

/// The command with this number.
fn command(rng: &mut TestRng, number: usize, now: Timestamp) -> Command {
    match rng.random_range(0..24) {
        0 => Command::Account(AccountCommand::OpenAccount),
        1..=4 => Command::Credits(CreditsCommand::GrantCredits(GrantCredits {
            grant_id: GrantId::parse(&format!("bonus:{number}")).expect("an id"),
            source: Source::Bonus,
            amount: credits(rng.random_range(1..20)),
            starts_at: None,
            expires_at: rng
                .random_bool(0.3)
                .then(|| now.plus(chrono::TimeDelta::seconds(rng.random_range(1..900)))),
            priority: None,
            cost: None,
            reason: "test".to_owned(),
        })),
        5..=12 => Command::Credits(CreditsCommand::DeductCredits {
            amount: credits(rng.random_range(1..15)),
            id: None,
            description: None,
        }),
        13..=15 => Command::Credits(CreditsCommand::Generate(generation(rng))),
        16..=17 => Command::Account(AccountCommand::SetMetadata {
            metadata: Metadata::given([("side".to_owned(), rng.random_range(0..2).to_string())].into())
                .expect("it is short"),
        }),
        18 => Command::Credits(CreditsCommand::HoldCredits {
            what: HoldFor::Generation(generation(rng)),
            expires_in_s: Some(rng.random_range(60..900)),
        }),
        _ => Command::Credits(CreditsCommand::HoldCredits {
            what: HoldFor::Amount { amount: credits(rng.random_range(1..10)), id: None, description: None },
            expires_in_s: Some(rng.random_range(60..900)),
        }),
    }
}

/// A request that is new, or repeats an earlier one, or has its key and asks for something else.
/// `holds`: those that are stored, and so are known to somebody or may be guessed.
pub(super) fn request(
    rng: &mut TestRng,
    earlier: &[Request],
    holds: &[(AccountId, HoldId)],
    now: Timestamp,
) -> Request {
    let number = earlier.len();
    let id = ACCOUNTS[rng.random_range(0..ACCOUNTS.len())];
    let account = AccountId::parse(id).expect("an id");
    // Names what was sent, also in what is stored of it.
    let provenance = Provenance {
        actor: Actor::parse("test").expect("an actor"),
        origin: Origin::Api,
        correlation_id: Some(number.to_string()),
        causation_id: None,
        stripe_event: None,
    };
    if number < ACCOUNTS.len() {
        let account = AccountId::parse(ACCOUNTS[number]).expect("an id");
        let command = Command::Account(AccountCommand::OpenAccount);
        return Request::new(account, command, IdempotencyKey::opening(), provenance);
    }
    if rng.random_bool(0.25) {
        // The newest ones are most likely still under way.
        let back = rng.random_range(1..=number.min(8));
        let again = &earlier[number - back];
        let is_same = again.key.as_deref().is_none() || rng.random_bool(0.8);
        let command = if is_same { again.command.clone() } else { command(rng, number, now) };
        return Request::new(again.account.clone(), command, again.key.clone(), provenance);
    }
    let (account, command) = match newest(rng, holds) {
        Some((account, hold)) if rng.random_bool(0.5) => (account, Command::Credits(of_hold(rng, hold))),
        _ => (account, command(rng, number, now)),
    };
    let key = if matches!(command, Command::Account(AccountCommand::OpenAccount)) {
        IdempotencyKey::opening()
    } else if matches!(command, Command::Account(AccountCommand::SetMetadata { .. })) && rng.random_bool(0.5)
    {
        // What has no effect when it is repeated needs none.
        IdempotencyKey::none()
    } else {
        IdempotencyKey::caller(&format!("key {number}"))
    };
    Request::new(account, command, key, provenance)
}
