//! How is a file read past its first mistake?
//!
//! Every reader records its mistakes and returns `None`, so that its caller can go on.

use std::{cell::RefCell, ops::RangeInclusive};

use toml::{
    Spanned,
    de::{DeFloat, DeInteger, DeTable, DeValue},
};

use super::{
    Mode, SettingLookup,
    mistake::{CatalogMistake, CatalogPlace, MistakeCause, position},
    stripe_ids::{StripeId, StripeIds},
    suggestion::unknown,
};

/// The longest text in a catalog, in characters.
const TEXT_CHARS_MAX: usize = 500;

/// Whether every price that is not marked as optional must have an id at Stripe.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PriceIdRule {
    Needed,
    Optional,
}

/// The reading of one file.
pub(super) struct CatalogReading<'a> {
    text: &'a str,
    settings: SettingLookup<'a>,
    pub mode: Mode,
    pub ids: PriceIdRule,
    stripe_ids: StripeIds,
    mistakes: RefCell<Vec<CatalogMistake>>,
}

impl<'a> CatalogReading<'a> {
    pub fn new(text: &'a str, settings: SettingLookup<'a>, mode: Mode, ids: PriceIdRule) -> Self {
        Self { text, settings, mode, ids, stripe_ids: StripeIds::default(), mistakes: RefCell::default() }
    }

    pub fn report(&self, place: &CatalogPlace, cause: MistakeCause, message: impl Into<String>) {
        let (line, column) = position(self.text, place.span.start);
        let (path, message) = (place.path.clone(), message.into());
        self.mistakes.borrow_mut().push(CatalogMistake { line, column, path, message, cause });
    }

    /// Records an id at Stripe. `None`: it cannot be one, which is reported.
    pub fn take_stripe_id(&self, id: StripeId) -> Option<String> {
        match self.stripe_ids.take(&id) {
            Ok(()) => Some(id.id),
            Err(message) => {
                self.report(&id.place, id.cause, message);
                None
            }
        }
    }

    /// Reports ids at Stripe that are used for two things.
    pub fn report_conflicts(&self) {
        for (id, message) in self.stripe_ids.conflicts(|place| self.line(place)) {
            self.report(&id.place, id.cause, message);
        }
    }

    /// The value of a setting. An empty one counts as not set.
    pub fn setting(&self, name: &str) -> Option<String> {
        (self.settings)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The line of a place, for a mistake that refers to another one.
    fn line(&self, place: &CatalogPlace) -> usize {
        position(self.text, place.span.start).0
    }

    /// Whether something under `path` is wrong, so that mistakes that follow from it are not reported.
    pub fn is_wrong_under(&self, path: &str) -> bool {
        self.mistakes.borrow().iter().any(|mistake| mistake.path.starts_with(path))
    }

    /// All mistakes, in the order of the file.
    pub fn into_mistakes(self) -> Vec<CatalogMistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort();
        mistakes.dedup();
        mistakes
    }
}

/// A value in the file.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub reading: &'a CatalogReading<'a>,
    pub place: CatalogPlace,
    pub value: &'a DeValue<'a>,
}

impl<'a> Node<'a> {
    /// Records a mistake here, and returns `None`.
    pub fn refuse<T>(&self, message: impl Into<String>) -> Option<T> {
        self.reading.report(&self.place, MistakeCause::File, message);
        None
    }

    fn expected<T>(&self, what: &str) -> Option<T> {
        self.refuse(format!("expected {what}, found {}", describe(self.value)))
    }

    /// A table that may only have the `known` keys.
    pub fn table(&self, known: &[&str]) -> Option<TomlTable<'a>> {
        let table = self.open_table("a table")?;
        table.check_keys(known);
        Some(table)
    }

    /// A table whose keys the author of the file chooses. `what` describes it.
    pub fn open_table(&self, what: &str) -> Option<TomlTable<'a>> {
        self.as_table().or_else(|| self.expected(what))
    }

    /// The value as a table. `None`: it is not one, which is reported elsewhere.
    pub fn as_table(&self) -> Option<TomlTable<'a>> {
        let entries = self.value.as_table()?;
        Some(TomlTable { reading: self.reading, place: self.place.clone(), entries })
    }

    pub fn items(&self) -> Option<Vec<Self>> {
        let DeValue::Array(items) = self.value else {
            return self.expected("a list in [ ]");
        };
        let node = |(index, item): (usize, &'a Spanned<DeValue<'a>>)| Self {
            reading: self.reading,
            place: self.place.item(index, item.span()),
            value: item.get_ref(),
        };
        Some(items.iter().enumerate().map(node).collect())
    }

    pub fn text(&self) -> Option<&'a str> {
        let DeValue::String(text) = self.value else {
            return self.expected("a text in quotes");
        };
        if text.trim().is_empty() {
            return self.refuse("this cannot be empty");
        }
        if text.chars().count() > TEXT_CHARS_MAX {
            return self.refuse(format!("a text has at most {TEXT_CHARS_MAX} characters"));
        }
        Some(text)
    }

    pub fn strings(&self) -> Option<Vec<&'a str>> {
        Some(self.items()?.iter().filter_map(Self::text).collect())
    }

    pub fn boolean(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.expected("true or false"))
    }

    /// A whole number within `range`.
    pub fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        if let Some(float) = self.value.as_float() {
            return self.refuse(format!("{} is a float; only whole numbers are taken", float.as_str()));
        }
        let Some(integer) = self.value.as_integer() else {
            return self.expected("a whole number without quotes");
        };
        let Some(number) = parse_integer(integer) else {
            return self.refuse(format!("{} is too large", integer.as_str()));
        };
        match number {
            _ if range.contains(&number) => Some(number),
            _ if number < 0 && *range.start() >= 0 => self.refuse(format!("{number} is negative")),
            _ if number > *range.end() => {
                self.refuse(format!("{number} is too large; at most {}", range.end()))
            }
            _ => self.refuse(format!("{number} is too small; at least {}", range.start())),
        }
    }

    /// The text of a price, which is written in quotes.
    pub fn quoted_price(&self) -> Option<&'a str> {
        let float = self.value.as_float().map(DeFloat::as_str);
        let Some(number) = float.or_else(|| self.value.as_integer().map(DeInteger::as_str)) else {
            return self.text();
        };
        self.refuse(format!("write a price in quotes, exactly and in the currency's main unit: \"{number}\""))
    }

    /// One of the `known` words.
    pub fn one_of<T: Copy>(&self, kind: &str, known: &[(&str, T)]) -> Option<T> {
        let word = self.text()?;
        if let Some((_, meaning)) = known.iter().find(|(name, _)| *name == word) {
            return Some(*meaning);
        }
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        self.refuse(unknown(kind, word, &names))
    }
}

/// A table in the file.
pub(super) struct TomlTable<'a> {
    pub reading: &'a CatalogReading<'a>,
    pub place: CatalogPlace,
    entries: &'a DeTable<'a>,
}

/// A key of a table, and what is under it.
pub(super) struct TableEntry<'a> {
    pub name: &'a str,
    pub key: CatalogPlace,
    pub node: Node<'a>,
}

impl<'a> TomlTable<'a> {
    pub fn root(reading: &'a CatalogReading<'a>, table: &'a Spanned<DeTable<'a>>) -> Self {
        let place = CatalogPlace { path: String::new(), span: 0..0 };
        Self { reading, place, entries: table.get_ref() }
    }

    pub fn refuse<T>(&self, message: impl Into<String>) -> Option<T> {
        self.reading.report(&self.place, MistakeCause::File, message);
        None
    }

    /// Reports each key that is not one of the `known`.
    pub fn check_keys(&self, known: &[&str]) {
        self.check_keys_and(known, &[]);
    }

    /// The same, with keys of earlier releases: the message for each says what replaced it.
    pub fn check_keys_and(&self, known: &[&str], gone: &[(&str, &str)]) {
        for entry in self.entries() {
            let became = gone.iter().find(|(name, _)| *name == entry.name).map(|(_, became)| *became);
            match became {
                Some(became) => entry.refuse_key::<()>(became),
                None if known.contains(&entry.name) => None,
                None => entry.refuse_key::<()>(unknown("key", entry.name, known)),
            };
        }
    }

    pub fn find(&self, key: &str) -> Option<Node<'a>> {
        let value = self.entries.get(key)?;
        let place = self.place.join(key, value.span());
        Some(Node { reading: self.reading, place, value: value.get_ref() })
    }

    /// The value of `key`. If it is missing, that is reported.
    pub fn required(&self, key: &str) -> Option<Node<'a>> {
        self.find(key).or_else(|| self.refuse(format!("`{key}` is missing")))
    }

    /// The value of `key`, read with `read`, or `default` if the key is missing.
    pub fn or<T>(&self, key: &str, default: T, read: impl FnOnce(&Node<'a>) -> Option<T>) -> Option<T> {
        self.find(key).map_or(Some(default), |node| read(&node))
    }

    /// The keys in the order of the file.
    pub fn entries(&self) -> Vec<TableEntry<'a>> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let entry = |(key, value): (&'a Spanned<_>, &'a Spanned<_>)| self.entry(key, value);
        entries.into_iter().map(entry).collect()
    }

    fn entry(
        &self,
        key: &'a Spanned<toml::de::DeString<'a>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> TableEntry<'a> {
        let name: &str = key.get_ref();
        let place = self.place.join(name, value.span());
        let node = Node { reading: self.reading, place, value: value.get_ref() };
        TableEntry { name, key: self.place.join(name, key.span()), node }
    }
}

impl TableEntry<'_> {
    pub fn refuse_key<T>(&self, message: impl Into<String>) -> Option<T> {
        self.node.reading.report(&self.key, MistakeCause::File, message);
        None
    }
}

fn parse_integer(integer: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

const fn describe(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
