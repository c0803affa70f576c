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
use call::NamedCommand;
use reply::CommandReply;

/// Declares the files of commands, their routes, and what a batch accepts, so that none of these can be forgotten.
/// `cargo fmt` does not find files that a macro declares; `.ci/run` formats them.
macro_rules! commands {
    ($($name:ident = $file:ident::$handler:ident($body:ident),)+) => {
        $(pub mod $file;)+

        $(impl NamedCommand for $file::$body {
            const NAME: &'static str = stringify!($name);
        })+

        /// The name of a command in a batch.
        #[derive(Clone, Copy, Deserialize)]
        #[expect(non_camel_case_types, reason = "they are written as callers write them")]
        enum CommandName {
            $($name,)+
        }

        impl CommandName {
            /// Executes the command of a batch that has this name.
            async fn execute(self, from: Sender<'_>, item: &[u8]) -> Result<CommandReply, Failure> {
                match self {
                    $(Self::$name => batch::execute_item::<$file::$body>(from, item).await,)+
                }
            }
        }

        /// The names of all commands.
        const NAMES: &[&str] = &[$(stringify!($name)),+];

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

// For each command: its name in batches and metrics, its file, its handler, and its body.
// The OpenAPI document has this order.
commands! {
    open = account::put(AccountRequest),
    import = import::import(AccountImport),
    close = close::close(CloseRequest),
    deduct = deduct::deduct(DeductRequest),
    generate = generate::generate(GenerationRequest),
    hold = hold::hold(HoldRequest),
    commit = commit::commit(CommitRequest),
    release = release::release(ReleaseRequest),
    spend = spend::spend(SpendRequest),
    top_up = top_up::top_up(HoldTopUpRequest),
    extend = extend::extend(ExtendRequest),
    refund = refund::refund(RefundRequest),
    grant = grant::grant(GrantRequest),
    adjust = adjust::adjust(AdjustRequest),
    forgive = forgive::forgive(ForgiveRequest),
}
