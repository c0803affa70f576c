//! How is a long list paged? By an opaque cursor.

use serde::{Deserialize, Deserializer, de};

/// How many items a page has if the request does not say.
pub const PAGE_ITEMS_DEFAULT: usize = 100;
/// The most items of a page.
pub const PAGE_ITEMS_MAX: usize = 1_000;

/// The requested number of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(usize);

impl PageSize {
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }

    /// As a signed number, for the database.
    #[must_use]
    pub fn rows(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(PAGE_ITEMS_DEFAULT)
    }
}

impl<'de> Deserialize<'de> for PageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let items = text.parse().ok().filter(|items| (1..=PAGE_ITEMS_MAX).contains(items));
        items.map(Self).ok_or_else(|| de::Error::custom(format!("a page has 1 to {PAGE_ITEMS_MAX} items")))
    }
}

/// One page of items that are all in memory, from the one after `cursor` on, and the cursor of the next page if there
/// is one.
/// `None`: no item has this cursor.
pub fn page<'a, T>(
    items: impl Iterator<Item = &'a T>,
    name: impl Fn(&T) -> String,
    cursor: Option<&str>,
    limit: PageSize,
) -> Option<(Vec<&'a T>, Option<String>)> {
    let mut rest = items.peekable();
    if let Some(cursor) = cursor {
        rest.find(|item| name(item) == cursor)?;
    }
    let page: Vec<&T> = rest.by_ref().take(limit.get()).collect();
    let next = rest.peek().and_then(|_| page.last()).map(|last| name(last));
    Some((page, next))
}
