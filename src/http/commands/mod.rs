//! How does a request become a command, and its outcome an answer?
//! Each command has one file: its body, who may send it, the command, the answer and the route.
//!
//! A route and an item of a batch both become a [`call::Callable`], which is executed in one way.

pub mod batch;
mod batch_schema;
pub mod call;
pub mod import_request;
pub mod item;
pub mod quote;
pub mod reply;

use serde::Deserialize;
use utoipa::{
    PartialSchema,
    openapi::{RefOr, Schema},
};
use utoipa_axum::routes;

use super::{
    failure::Failure,
    openapi::{Operations, inputs_of},
};

use batch::Sender;
use call::Callable;
use reply::CommandReply;

/// Declares the files of commands, their routes, and what a batch accepts, so that none of these can be forgotten.
/// `cargo fmt` does not find files that a macro declares; `.ci/run` formats them.
macro_rules! commands {
    ($($name:ident = $file:ident::$handler:ident($body:ident),)+) => {
        $(pub mod $file;)+

        /// The name of a command in a batch.
        #[derive(Clone, Copy, Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum CommandName {
            $($name,)+
        }

        $(const _: () = assert!(
            stringify!($name).eq_ignore_ascii_case(<$file::$body as Callable>::NAME),
            "a command is called in a batch what it is called everywhere",
        );)+

        impl CommandName {
            /// Executes the command of a batch that has this name.
            async fn execute(self, from: Sender<'_>, item: &[u8]) -> Result<CommandReply, Failure> {
                match self {
                    $(Self::$name => batch::execute_item::<$file::$body>(from, item).await,)+
                }
            }
        }

        /// The names of all commands.
        const NAMES: &[&str] = &[$(<$file::$body as Callable>::NAME),+];

        /// The schemas of the bodies of all commands.
        fn schemas() -> Vec<RefOr<Schema>> {
            vec![$(<$file::$body as PartialSchema>::schema()),+]
        }

        /// The routes of all commands.
        #[must_use]
        pub fn operations() -> Operations {
            Operations::default()$(.with(inputs_of(&$file::$handler), routes!($file::$handler)))+
        }
    };
}

// For each command: its name in a batch, its file, its handler, and its body. The OpenAPI document has this order.
commands! {
    Open = account::put(AccountRequest),
    Import = import::import(AccountImport),
    Close = close::close(CloseRequest),
    Deduct = deduct::deduct(DeductRequest),
    Generate = generate::generate(GenerationRequest),
    Hold = hold::hold(HoldRequest),
    Commit = commit::commit(CommitRequest),
    Release = release::release(ReleaseRequest),
    Extend = extend::extend(ExtendRequest),
    Refund = refund::refund(RefundRequest),
    Grant = grant::grant(GrantRequest),
    Adjust = adjust::adjust(AdjustRequest),
    Forgive = forgive::forgive(ForgiveRequest),
}
