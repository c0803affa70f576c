//! For which accounts do the settings say that billing is on? Three settings decide it together, and must not
//! contradict each other.

use std::{collections::BTreeSet, fs};

use crate::domain::{
    ids::AccountId,
    rollout::{PLACES, Rollout},
};

use super::{
    SettingMistake, SettingSources,
    settings::{self, Setting},
    shown::without_password,
};

/// How many accounts one list can name.
const ACCOUNTS_NAMED_MAX: usize = 100_000;
/// The path of a file begins with this, and no account does.
const FILE: char = '@';
/// A line of a file that begins with this names no account.
const REMARK: char = '#';
/// How many hundredths a percentage can have.
const HUNDREDTHS_DIGITS: usize = 2;

/// Whether calls to Stripe are made at all, and for which accounts they may take money.
pub(super) fn read(given: &SettingSources, mistakes: &mut Vec<SettingMistake>) -> Option<(bool, Rollout)> {
    let switch = switch(given, mistakes);
    let named = accounts(given, settings::BILLING_ACCOUNTS, mistakes);
    let except = accounts(given, settings::BILLING_EXCEPT, mistakes);
    let (Some(switch), Some(named), Some(except)) = (switch, named, except) else { return None };
    if switch == RolloutSetting::On && !named.is_empty() {
        // Whoever lists accounts means only these, and not all.
        let message = "with COUNTERFOIL_BILLING=on, which it is where nothing is set, everybody is sold to; set a share, \
                       such as 0%, to sell to these alone, or leave this one out";
        mistakes.push(SettingMistake::new(settings::BILLING_ACCOUNTS.name, message));
        return None;
    }
    if let Some(both) = named.intersection(&except).next() {
        let message = format!("`{both}` is in {}, too", settings::BILLING_ACCOUNTS.name);
        mistakes.push(SettingMistake::new(settings::BILLING_EXCEPT.name, message));
        return None;
    }
    let (on, share) = match switch {
        RolloutSetting::Off => (false, 0),
        RolloutSetting::On => (true, PLACES),
        RolloutSetting::Share(share) => (true, share),
    };
    Some((on, Rollout::new(share, named, except)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RolloutSetting {
    On,
    Off,
    /// In hundredths of a percent.
    Share(u16),
}

fn switch(given: &SettingSources, mistakes: &mut Vec<SettingMistake>) -> Option<RolloutSetting> {
    let text = given.value(settings::BILLING);
    let read = match text {
        "on" => Some(RolloutSetting::On),
        "off" => Some(RolloutSetting::Off),
        text => text.strip_suffix('%').and_then(share).map(RolloutSetting::Share),
    };
    if read.is_none() {
        let shown = without_password(text);
        let allowed = "it has to be `on`, `off`, or a share of the accounts from 0% to 100%, such as 25% or 0.5%, with at most two decimals";
        mistakes
            .push(SettingMistake::new(settings::BILLING.name, format!("`{shown}` is not valid; {allowed}")));
    }
    read
}

/// A percentage with up to two decimals, in hundredths of a percent.
fn share(percent: &str) -> Option<u16> {
    let (whole, decimals) = percent.split_once('.').map_or((percent, None), |(one, two)| (one, Some(two)));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = decimals.is_none_or(|text| is_number(text) && text.len() <= HUNDREDTHS_DIGITS);
    if !is_number(whole) || !fits {
        return None;
    }
    let hundredths = format!("{:0<width$}", decimals.unwrap_or_default(), width = HUNDREDTHS_DIGITS);
    let share: u16 = format!("{whole}{hundredths}").parse().ok()?;
    (share <= PLACES).then_some(share)
}

/// The accounts of a list, which may name a file with `@` and its path.
fn accounts(
    given: &SettingSources,
    setting: Setting,
    mistakes: &mut Vec<SettingMistake>,
) -> Option<BTreeSet<AccountId>> {
    let text = given.find(setting).unwrap_or_default();
    let mut accounts = BTreeSet::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let added = match item.strip_prefix(FILE) {
            Some(path) => add_file(path, &mut accounts),
            None => add(item, &mut accounts),
        };
        if let Err(message) = added {
            mistakes.push(SettingMistake::new(setting.name, message));
            return None;
        }
    }
    Some(accounts)
}

fn add(id: &str, accounts: &mut BTreeSet<AccountId>) -> Result<(), String> {
    let account = AccountId::parse(id).map_err(|error| {
        format!("`{}` is no account: {error}; several have commas between", without_password(id))
    })?;
    accounts.insert(account);
    if accounts.len() > ACCOUNTS_NAMED_MAX {
        return Err(format!("more than {ACCOUNTS_NAMED_MAX} accounts are named; a share needs no list"));
    }
    Ok(())
}

/// One line per account; empty lines, and those that begin with `#`, are skipped.
fn add_file(path: &str, accounts: &mut BTreeSet<AccountId>) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with(REMARK) {
            add(line, accounts).map_err(|message| format!("{path}, line {number}: {message}"))?;
        }
    }
    Ok(())
}
