//! In which time zone do days begin? In the catalog's, as those of limits do, unless the query names another.

use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, de::Error};

use crate::http::AppState;

/// A time zone in a query, such as `Europe/Berlin`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ZoneQuery(Option<Tz>);

impl ZoneQuery {
    pub fn or_of_catalog(self, state: &AppState) -> Tz {
        self.0.unwrap_or_else(|| state.ledger.catalog().time_zone)
    }
}

impl<'de> Deserialize<'de> for ZoneQuery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let expected = "a time zone of the IANA database is expected, such as UTC or Europe/Berlin";
        name.parse().map(|zone| Self(Some(zone))).map_err(|_| D::Error::custom(expected))
    }
}
