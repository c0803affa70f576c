//! Was everybody told what is so? Each answer is compared with the journal, and the journal with the rules.

use std::collections::BTreeSet;

use crate::{
    domain::{
        credits::Grant,
        decide::{Context, decide},
        event::{CreditsEvent, Event, HoldEvent},
        ids::AccountId,
        recorded::{Position, RecordedEvent},
        refusal::Refusal,
    },
    ledger::{ExecuteError, Outcome},
};

use super::{journal::Stored, world::World, writer::Sent};

/// The first promise that a run has broken.
pub(super) fn broken(world: &World) -> Option<String> {
    in_another_shard(world)
        .or_else(|| stored_twice(world))
        .or_else(|| lost_or_made(world))
        .or_else(|| decided_on_another_state(world))
        .or_else(|| world.double_answers.first().map(|number| format!("{number} was answered twice")))
        .or_else(|| {
            let sent = world.sent.iter().enumerate();
            let mut mistakes = sent
                .filter_map(|(number, sent)| Some(format!("{number}: {}", mistake(world, number, sent)?)));
            mistakes.next()
        })
}

fn stored(world: &World) -> impl Iterator<Item = &Stored> {
    world.journals.iter().flat_map(|journal| &journal.events)
}

/// All events of an account are in its shard.
fn in_another_shard(world: &World) -> Option<String> {
    let mut stored = stored(world).map(|stored| &stored.recorded);
    let lost = stored.find(|recorded| world.journal_of(&recorded.account).shard != recorded.shard)?;
    Some(format!("{lost:?} is not in the shard of its account"))
}

/// A key, or a generation, charges once.
fn stored_twice(world: &World) -> Option<String> {
    let mut taken = BTreeSet::new();
    for stored in stored(world) {
        let account = &stored.recorded.account;
        let own_generation = stored.generation.as_ref().filter(|text| text.ends_with(' '));
        let key = stored.key.map(|digest| digest.to_string());
        for unique in key.into_iter().chain(own_generation.cloned()) {
            if !taken.insert((account, unique.clone())) {
                return Some(format!("{unique} of {account} is stored twice"));
            }
        }
    }
    None
}

/// Each account has what it was granted, in one part or another, and what it holds is what its holds have.
fn lost_or_made(world: &World) -> Option<String> {
    let accounts: BTreeSet<_> = stored(world).map(|stored| &stored.recorded.account).collect();
    accounts.into_iter().find_map(|id| {
        let journal = world.journal_of(id);
        let account = journal.state_at(id, journal.head());
        let wallet = &account.opened()?.wallet;
        let is_whole = wallet.grants().all(Grant::is_conserved);
        let held: i64 = wallet.grants().map(|grant| grant.held.get()).sum();
        let in_holds: i64 = wallet.holds.open().map(|hold| hold.left().get()).sum();
        let spent: i64 = world.journal_of(id).of(id).map(|stored| spent_by(&stored.recorded.event)).sum();
        let consumed: i64 = wallet.grants().map(|grant| grant.consumed.get()).sum();
        (!is_whole || held != in_holds || consumed != spent).then(|| {
            format!("of {id}, {held} are held, {in_holds} in holds, and {consumed} of {spent} are spent")
        })
    })
}

/// How many credits an event says were spent.
const fn spent_by(event: &Event) -> i64 {
    if let Event::Credits(CreditsEvent::CreditsDeducted { amount, .. })
    | Event::Hold(HoldEvent::HoldSpent { amount, .. } | HoldEvent::HoldCommitted { amount, .. }) = event
    {
        amount.get()
    } else {
        0
    }
}

/// Every command was decided on the state that all earlier events of its account left.
fn decided_on_another_state(world: &World) -> Option<String> {
    for command in commands(world) {
        let [first, ..] = command.as_slice() else { continue };
        let Some(sent) = sent_as(world, first) else { return Some(format!("nobody sent {first:?}")) };
        let before = Position(first.position.0 - 1);
        let state = world.journal_of(&first.account).state_at(&first.account, before);
        let decided = decide(&state, &sent.request.command, Context { at: sent.at, catalog: &world.catalog });
        let stored: Vec<Event> = command.iter().map(|recorded| recorded.event.clone()).collect();
        if decided.as_ref() != Ok(&stored) {
            return Some(format!("{stored:?} is stored, and it would be decided {decided:?}"));
        }
    }
    None
}

/// The stored events by command, in their order.
fn commands(world: &World) -> Vec<Vec<RecordedEvent>> {
    let mut commands: Vec<Vec<RecordedEvent>> = Vec::new();
    for stored in stored(world) {
        let of = |recorded: &RecordedEvent| (recorded.account.clone(), recorded.command());
        let id = of(&stored.recorded);
        match commands.last_mut() {
            Some(last) if last.first().is_some_and(|first| of(first) == id) => {
                last.push(stored.recorded.clone());
            }
            _ => commands.push(vec![stored.recorded.clone()]),
        }
    }
    commands
}

/// What was sent, by what is stored of it.
fn sent_as<'a>(world: &'a World, recorded: &RecordedEvent) -> Option<&'a Sent> {
    let number: usize = recorded.metadata.correlation_id.as_ref()?.parse().ok()?;
    world.sent.get(number)
}

fn is_stored(world: &World, number: usize) -> bool {
    let number = number.to_string();
    stored(world).any(|stored| stored.recorded.metadata.correlation_id.as_ref() == Some(&number))
}

fn mistake(world: &World, number: usize, sent: &Sent) -> Option<String> {
    let Some((answer, answered_at)) = &sent.answer else {
        return (!sent.is_lost).then(|| "it was never answered".to_owned());
    };
    match answer {
        Ok(outcome) => wrong_outcome(world, number, sent, outcome, *answered_at),
        Err(ExecuteError::OutcomeUnknown) => None,
        Err(error) if is_stored(world, number) => Some(format!("it is stored, and {error:?} was told")),
        Err(ExecuteError::Refused(refusal)) => {
            let would_be = |events: &Result<Vec<Event>, Refusal>| events.as_ref() == Err(refusal);
            let held = held_at_some_moment(world, sent, *answered_at, true, would_be);
            (!held).then(|| format!("{refusal:?} was told, and at no moment was it so"))
        }
        Err(ExecuteError::KeyReused) => {
            let uniques: Vec<_> = sent.request.uniques().collect();
            let found = world.journals[sent.shard].find(&uniques);
            let is_other = |events: &Vec<RecordedEvent>| {
                events.first().is_some_and(|first| first.metadata.request_hash != sent.request.hash)
            };
            (!found.values().any(is_other)).then(|| "no other command has its key".to_owned())
        }
        Err(ExecuteError::Unavailable) => None,
        Err(
            error @ (ExecuteError::Overloaded | ExecuteError::Damaged | ExecuteError::ClockBehind { .. }),
        ) => Some(format!("nothing is {error:?} here")),
    }
}

fn wrong_outcome(
    world: &World,
    number: usize,
    sent: &Sent,
    outcome: &Outcome,
    answered_at: Position,
) -> Option<String> {
    if outcome.position.position > answered_at {
        return Some(format!("{:?} was told before it was stored", outcome.position));
    }
    let Some(first) = outcome.events.first() else {
        let held = held_at_some_moment(world, sent, answered_at, false, |events| events == &Ok(Vec::new()));
        return (!held).then(|| "it was said to have no effect, and at no moment was it so".to_owned());
    };
    let from = usize::try_from(first.position.0 - 1).ok()?;
    let stored = world.journals[sent.shard].events.get(from..).unwrap_or_default();
    let stored = stored.iter().take(outcome.events.len()).map(|stored| &stored.recorded);
    if !stored.eq(outcome.events.iter()) {
        return Some("what was told is not what is stored".to_owned());
    }
    let is_own = first.metadata.correlation_id.as_deref() == Some(number.to_string().as_str());
    // What was stored by an append whose answer was lost is found again, and then told as a repetition.
    if !outcome.replayed && !is_own {
        return Some("it is told as new, and is another's".to_owned());
    }
    (first.metadata.request_hash != sent.request.hash)
        .then(|| "it is the answer to another request".to_owned())
}

/// Whether there was a moment between sending and answering at which the account was so that the rules say this,
/// with the command's key free.
fn held_at_some_moment(
    world: &World,
    sent: &Sent,
    answered_at: Position,
    must_be_free: bool,
    is_so: impl Fn(&Result<Vec<Event>, Refusal>) -> bool,
) -> bool {
    let id: &AccountId = &sent.request.account;
    let context = Context { at: sent.at, catalog: &world.catalog };
    let uniques: Vec<_> = sent.request.uniques().map(|(_, unique)| unique).collect();
    let taken_from =
        world.journal_of(id).of(id).find(|stored| uniques.iter().any(|unique| stored.has(unique)));
    let taken_from = taken_from.map(|stored| stored.recorded.position);
    let events = world.journal_of(id).of(id).map(|stored| stored.recorded.position);
    let mut moments = events.filter(|at| (sent.sent_at..=answered_at).contains(at)).collect::<Vec<_>>();
    moments.insert(0, sent.sent_at);
    moments.into_iter().filter(|moment| !must_be_free || taken_from.is_none_or(|taken| *moment < taken)).any(
        |moment| is_so(&decide(&world.journal_of(id).state_at(id, moment), &sent.request.command, context)),
    )
}
