//! What did a check find, how bad is it, and what should be done?

use std::fmt;

use serde::Serialize;
use strum::IntoStaticStr;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoctorFinding {
    pub check: Code,
    pub level: Level,
    pub found: String,
    /// What to do. `None`: all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Ok,
    /// It works, and may stop working.
    Warning,
    /// Something is not sold, not granted, or not reported.
    Error,
}

/// The name of a check. It is stable over releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Code {
    Key,
    Rights,
    Clock,
    Mode,
    PricesSet,
    PricesExist,
    PricesActive,
    PriceTerms,
    ProductsActive,
    Retired,
    Portal,
    PortalActive,
    PortalOffer,
    SigningSecret,
    Endpoint,
    EndpointEnabled,
    EndpointSingle,
    EndpointVersion,
    EventTypes,
    EventTypesSuperfluous,
    Deliveries,
}

impl Code {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// The findings so far.
#[derive(Default)]
pub(super) struct Findings(pub Vec<DoctorFinding>);

impl Findings {
    pub fn ok(&mut self, check: Code, found: impl Into<String>) {
        self.0.push(DoctorFinding { check, level: Level::Ok, found: found.into(), advice: None });
    }

    pub fn warn(&mut self, check: Code, found: impl Into<String>, advice: impl Into<String>) {
        self.add(check, Level::Warning, found.into(), advice.into());
    }

    pub fn error(&mut self, check: Code, found: impl Into<String>, advice: impl Into<String>) {
        self.add(check, Level::Error, found.into(), advice.into());
    }

    /// Adds one finding with everything that is wrong, or that all is well.
    pub fn all(
        &mut self,
        check: Code,
        level: Level,
        wrong: &[String],
        advice: &str,
        well: impl Into<String>,
    ) {
        if wrong.is_empty() {
            self.ok(check, well);
        } else {
            self.add(check, level, wrong.join("; "), advice.to_owned());
        }
    }

    fn add(&mut self, check: Code, level: Level, found: String, advice: String) {
        self.0.push(DoctorFinding { check, level, found, advice: Some(advice) });
    }
}
