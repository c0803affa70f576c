//! What can a caller be told when something failed?
//! Each failure has a stable code, and one place that says everything about it:
//! the table of the error that it comes from.
//!
//! A line of a table has the error, its code with status, title and advice, and, if needed, a sentence with figures and
//! the members that only this problem has.
//! The answer and its description in the OpenAPI document follow from that.

mod access;
mod billing;
mod faults;
mod ledger;
mod queries;
mod refusals;
mod requests;
mod targets;
mod webhooks;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::schema::Object;

use crate::domain::time::Timestamp;

pub use access::*;
pub use billing::*;
pub use faults::*;
pub use ledger::*;
pub use queries::*;
pub use refusals::*;
pub use requests::*;
pub use targets::*;
pub use webhooks::*;

/// The name of the schema of problems without members of their own.
pub const PROBLEM: &str = "Problem";
/// How many seconds a caller should wait if nothing better is known.
const RETRY_AFTER_S: u64 = 1;

/// What all problems with one code have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProblemCode {
    pub status: StatusCode,
    /// Stable: programs branch on it.
    pub name: &'static str,
    pub title: &'static str,
    /// What the caller can do.
    pub advice: &'static str,
    /// The name of its schema in the OpenAPI document: its own, if it has members.
    pub schema: &'static str,
}

/// A problem as a type, so that routes can name the problems that they answer with.
pub trait Problem {
    const CODE: &'static ProblemCode;
}

/// Problems that a route can answer with: one, or several in a tuple.
pub trait ProblemSet {
    fn add_to(codes: &mut Vec<&'static ProblemCode>);
}

macro_rules! sets {
    ($($name:ident)+) => {
        impl<$($name: ProblemSet),+> ProblemSet for ($($name,)+) {
            fn add_to(codes: &mut Vec<&'static ProblemCode>) {
                $($name::add_to(codes);)+
            }
        }
    };
}

sets!(A);
sets!(A B);
sets!(A B C);
sets!(A B C D);
sets!(A B C D E);
sets!(A B C D E F);
sets!(A B C D E F G);
sets!(A B C D E F G H);
sets!(A B C D E F G H I);
sets!(A B C D E F G H I J);

/// An error that can be explained to a caller.
pub trait Explain {
    fn explain(self) -> Explanation;
}

/// Everything that a caller is told of one failure, and what is only logged.
pub struct Explanation {
    pub code: &'static ProblemCode,
    detail: Option<String>,
    pub advice: &'static str,
    /// The members that only problems with this code have.
    pub members: Map<String, Value>,
    pub retry_after: Option<RetryAfter>,
    /// The cause of a fault, which is only logged.
    pub cause: Option<Cause>,
}

pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// How long a caller should wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    Seconds(u64),
    Until(Timestamp),
}

impl RetryAfter {
    #[must_use]
    pub fn seconds(self, now: Timestamp) -> Option<u64> {
        match self {
            Self::Seconds(seconds) => Some(seconds),
            Self::Until(end) => {
                u64::try_from(end.seconds().saturating_sub(now.seconds())).ok().map(|wait| wait.max(1))
            }
        }
    }
}

impl Explanation {
    /// An explanation that only has what the code says.
    #[must_use]
    pub fn of(code: &'static ProblemCode) -> Self {
        let passes = code.status == StatusCode::SERVICE_UNAVAILABLE;
        Self {
            code,
            detail: None,
            advice: code.advice,
            members: Map::new(),
            retry_after: passes.then_some(RetryAfter::Seconds(RETRY_AFTER_S)),
            cause: None,
        }
    }

    /// A sentence about this failure, for people.
    #[must_use]
    pub fn detail(&self) -> String {
        self.detail.clone().unwrap_or_else(|| format!("{}.", self.code.title))
    }

    fn says(mut self, detail: impl Into<Option<String>>) -> Self {
        self.detail = detail.into();
        self
    }

    fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        // Plain data with text keys cannot fail to be written.
        let value = serde_json::to_value(value).unwrap_or_default();
        self.members.insert(name.trim_start_matches("r#").to_owned(), value);
        self
    }

    /// Adds the members of a serialised object.
    fn written(mut self, members: &impl Serialize) -> Self {
        if let Ok(Value::Object(members)) = serde_json::to_value(members) {
            self.members = members;
        }
        self
    }

    fn advising(mut self, advice: impl Into<Option<&'static str>>) -> Self {
        self.advice = advice.into().unwrap_or(self.advice);
        self
    }

    fn after(mut self, wait: RetryAfter) -> Self {
        self.retry_after = Some(wait);
        self
    }

    fn caused(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }
}

/// How a code and its members are described.
pub struct ProblemSpec {
    pub code: &'static ProblemCode,
    /// As an object schema. `None`: it has no members.
    pub members: fn() -> Option<MembersSchema>,
}

/// The members of a code, and the schemas that they refer to.
pub struct MembersSchema {
    pub object: Object,
    pub others: Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>,
}

impl MembersSchema {
    fn of<T: utoipa::ToSchema>() -> Self {
        use utoipa::openapi::{RefOr, Schema};
        let mut others = Vec::new();
        T::schemas(&mut others);
        let object = match T::schema() {
            RefOr::T(Schema::Object(object)) => object,
            // Problems are always structs with fields.
            RefOr::T(_) | RefOr::Ref(_) => Object::new(),
        };
        Self { object, others }
    }
}

/// The descriptions of all problems.
pub fn specs() -> impl Iterator<Item = &'static ProblemSpec> {
    let tables = [
        refusals::PROBLEMS,
        billing::PROBLEMS,
        ledger::PROBLEMS,
        faults::PROBLEMS,
        access::PROBLEMS,
        requests::PROBLEMS,
        targets::PROBLEMS,
        webhooks::PROBLEMS,
        queries::PROBLEMS,
    ];
    tables.into_iter().flatten()
}

impl ProblemCode {
    /// All codes, in the order of the document.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        specs().map(|spec| spec.code)
    }
}

/// Defines the problems of an error.
///
/// - `PATTERN => Name = STATUS, "code", "Title", "Advice"`: an error, and its problem.
/// - `says`: a sentence with figures, instead of the title. `advises`: other advice. `after`: how long to wait.
/// - `with`: the members of the problem, each with its schema. `written … as`: the same for members that a type of
///   their own   serialises, or that are not always present.
/// - `also`: errors that are explained in another way.
macro_rules! explain {
    (
        $error:ty $(, also { $($other:pat => $explanation:expr,)+ })?;
        $(
            $pattern:pat $(if $guard:expr)? =>
                $name:ident = $status:ident, $code:literal, $title:literal, $advice:literal
                $(, says $detail:expr)?
                $(, advises $own_advice:expr)?
                $(, after $wait:expr)?
                $(, caused $cause:expr)?
                $(, with { $($(#[$about:meta])* $field:ident: $kind:ty = $value:expr,)+ })?
                $(, written $written:expr, as { $($(#[$about_written:meta])* $member:ident: $member_kind:ty,)+ })?;
        )+
    ) => {
        $(
            #[derive(utoipa::ToSchema)]
            #[allow(dead_code, reason = "it is never made, but written from the error that it is about")]
            pub struct $name {
                $($($(#[$about])* $field: $kind,)+)?
                $($($(#[$about_written])* $member: $member_kind,)+)?
            }

            impl $name {
                const MEMBERS: &[&str] = &[
                    $($(stringify!($field),)+)?
                    $($(stringify!($member),)+)?
                ];
            }

            impl super::Problem for $name {
                const CODE: &'static super::ProblemCode = &super::ProblemCode {
                    status: axum::http::StatusCode::$status,
                    name: $code,
                    title: $title,
                    advice: $advice,
                    schema: match Self::MEMBERS {
                        [] => super::PROBLEM,
                        [..] => concat!(stringify!($name), "Problem"),
                    },
                };
            }

            impl super::ProblemSet for $name {
                fn add_to(codes: &mut Vec<&'static super::ProblemCode>) {
                    codes.push(<Self as super::Problem>::CODE);
                }
            }
        )+

        pub(super) const PROBLEMS: &[super::ProblemSpec] = &[
            $(super::ProblemSpec {
                code: <$name as super::Problem>::CODE,
                members: || (!$name::MEMBERS.is_empty()).then(super::MembersSchema::of::<$name>),
            },)+
        ];

        impl super::Explain for $error {
            fn explain(self) -> super::Explanation {
                match self {
                    $($pattern $(if $guard)? => {
                        let explanation = super::Explanation::of(<$name as super::Problem>::CODE);
                        $(let explanation = explanation.says($detail);)?
                        $(let explanation = explanation.advising($own_advice);)?
                        $(let explanation = explanation.after($wait);)?
                        $(let explanation = explanation$(.with(stringify!($field), &$value))+;)?
                        $(let explanation = explanation.written(&$written);)?
                        $(let explanation = explanation.caused($cause);)?
                        explanation
                    })+
                    $($($other => $explanation,)+)?
                }
            }
        }
    };
}

use explain;
