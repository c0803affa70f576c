//! Is what callers are told true? These are the auditor's routes.

use std::{future::Future, sync::Arc};

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    audit::{self, AuditFinding, AuditScope, Replay, ReplayError, ReplayStep, Verification},
    domain::{
        credits::Balance,
        ids::{AccountId, PlanId},
        recorded::{JournalPosition, JournalPositions, Position, Shard},
        refusal::Refusal,
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, AuditBusy, TargetError},
        request::{AccountOf, All, Audits, Query},
        response::json,
        schema::{BalanceSchema, FindingSchema, Id, Place, Time},
    },
    journal::shards::Shards,
    projector::{Projector, ProjectorError},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReplayQuery {
    /// Only events recorded by then.
    #[param(value_type = Option<Time>)]
    as_of: Option<Timestamp>,
}

/// An account's history, event by event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Replay)]
pub struct ReplayResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    steps: Vec<ReplayStepResponse<'a>>,
    #[schema(value_type = BalanceSchema)]
    balance: Balance,
    #[schema(value_type = Option<Id>)]
    plan: Option<&'a PlanId>,
    /// Whether the whole history was replayed, so that it could be compared.
    whole: bool,
    /// Whether callers see the same state as the replay.
    matches: bool,
    /// How the replay differs from what callers see.
    differences: &'a [String],
}

/// An event, and what the account held after it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReplayStep)]
pub struct ReplayStepResponse<'a> {
    sequence: i64,
    #[schema(value_type = Place)]
    position: Token,
    r#type: &'static str,
    #[schema(value_type = Time)]
    recorded_at: Timestamp,
    #[schema(value_type = Time)]
    effective_at: Timestamp,
    #[schema(value_type = BalanceSchema)]
    balance: Balance,
    #[schema(value_type = Option<Id>)]
    plan: Option<&'a PlanId>,
}

impl<'a> ReplayStepResponse<'a> {
    fn of(step: &'a ReplayStep, shard: Shard) -> Self {
        Self {
            sequence: step.sequence,
            position: Token::of(JournalPosition::new(shard, step.position)),
            r#type: step.event_type,
            recorded_at: step.recorded_at,
            effective_at: step.effective_at,
            balance: step.balance,
            plan: step.plan.as_ref(),
        }
    }
}

impl<'a> ReplayResponse<'a> {
    fn of(replay: &'a Replay, shard: Shard) -> Self {
        Self {
            account: &replay.account,
            steps: replay.steps.iter().map(|step| ReplayStepResponse::of(step, shard)).collect(),
            balance: replay.balance,
            plan: replay.plan.as_ref(),
            whole: replay.whole,
            matches: replay.differences.is_empty(),
            differences: &replay.differences,
        }
    }
}

/// Replay an account
///
/// From its first event. The result is compared with what callers see.
#[utoipa::path(
    get, path = "/v1/audit/accounts/{account}/replay", operation_id = "replay_account", tag = "Audit",
    params(("account" = Id, Path), ReplayQuery),
    responses(
        (status = 200, description = "Each event, and the state after it.", body = ReplayResponse),
        Problems<(AccountNotFound, AuditBusy)>,
    )
)]
pub async fn replay(
    State(state): State<AppState>,
    of: AccountOf<Audits>,
    Query(asked): Query<ReplayQuery>,
) -> Result<Response<Body>, Failure> {
    let replayed = in_turn(&state, {
        let (ledger, account) = (state.ledger.clone(), of.account);
        async move { audit::replay(&ledger, &account, asked.as_of).await }
    });
    match replayed.await? {
        Ok(replay) => json(&ReplayResponse::of(&replay, state.ledger.shard_of(&replay.account))),
        Err(ReplayError::NoSuchAccount(_)) => Err(Refusal::AccountNotFound.into()),
        Err(error) => Err(Failure::fault(error)),
    }
}

/// What was checked, and what is wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verification)]
pub struct VerificationResponse<'a> {
    /// Whether nothing is wrong.
    clean: bool,
    events: u64,
    blocks: u64,
    accounts: u64,
    snapshots: u64,
    /// The read models that were built again and compared, row by row.
    read_models: Vec<&'a str>,
    /// Read models that are not compared, since their rows change as time passes.
    left_out: &'a [String],
    /// The hash of the whole journal up to `position`. Store it elsewhere, to compare it with later ones.
    head: &'a str,
    #[schema(value_type = Place)]
    position: Token,
    /// The first of each kind.
    #[schema(value_type = Vec<FindingSchema>)]
    findings: &'a [AuditFinding],
}

impl<'a> VerificationResponse<'a> {
    fn of(verification: &'a Verification, shards: &Shards) -> Self {
        let place = |shard| JournalPosition::new(shard, Position(verification.position));
        let ends = verification.shards.iter();
        let several = ends.map(|end| JournalPosition::new(end.shard, Position(end.position)));
        let position: JournalPositions = match verification.shards.len() {
            0 => shards.iter().take(1).map(place).collect(),
            _ => several.collect(),
        };
        Self {
            clean: verification.is_clean(),
            events: verification.events,
            blocks: verification.blocks,
            accounts: verification.accounts,
            snapshots: verification.snapshots,
            read_models: verification
                .read_models
                .iter()
                .map(|compared| compared.projection.as_str())
                .collect(),
            left_out: &verification.left_out,
            head: &verification.head,
            position: Token::of(position),
            findings: &verification.findings,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VerifyQuery {
    /// Whether every read model is also built again and compared row by row. `true` if left out.
    #[param(value_type = Option<bool>)]
    read_models: Option<bool>,
}

/// Verify the journal and the read models
///
/// Checks every hash, block and account from the stored bytes, then every read model from the events.
/// It takes about ten seconds for each million events, most of it for the read models.
#[utoipa::path(
    get, path = "/v1/audit/verify", operation_id = "verify_journal", tag = "Audit",
    params(VerifyQuery),
    responses(
        (status = 200, description = "What was checked, and what is wrong.", body = VerificationResponse),
        Problems<AuditBusy>,
    )
)]
pub async fn verify(
    State(state): State<AppState>,
    _from: All<Audits>,
    Query(asked): Query<VerifyQuery>,
) -> Result<Response<Body>, Failure> {
    let verified = in_turn(&state, {
        let (pool, projector) = (state.pool.clone(), state.projector.clone());
        async move {
            let verification =
                audit::verify_journal(&pool, &AuditScope::WHOLE, |_, _| {}).await.map_err(Failure::fault)?;
            if asked.read_models.unwrap_or(true) {
                return verify_read_models(projector, verification).await;
            }
            Ok(verification)
        }
    });
    json(&VerificationResponse::of(&verified.await??, state.ledger.shards()))
}

/// Runs an audit if one of the places is free.
/// It continues, and keeps its place, if its caller disconnects, since the database would go on with the work, too.
async fn in_turn<T: Send + 'static>(
    state: &AppState,
    audit: impl Future<Output = T> + Send + 'static,
) -> Result<T, Failure> {
    let turn = Arc::clone(&state.audits).try_acquire_owned().map_err(|_| TargetError::AuditBusy)?;
    let audited = tokio::spawn(async move {
        let audited = audit.await;
        drop(turn);
        audited
    });
    audited.await.map_err(Failure::fault)
}

/// Compares whole tables in a thread of its own, so that no other request waits for it.
async fn verify_read_models(
    projector: Projector,
    mut verification: Verification,
) -> Result<Verification, Failure> {
    let runtime = tokio::runtime::Handle::current();
    let verified = tokio::task::spawn_blocking(move || {
        let verified = audit::verify_read_models(&projector, &mut verification, |_, _, _| {});
        runtime.block_on(verified).map(|()| verification)
    });
    // Another audit or a rebuild, here or on another instance, may be using one of them.
    let is_busy = |error: &ProjectorError| {
        matches!(error, ProjectorError::RebuildUnderWay { .. } | ProjectorError::Grown)
    };
    let failure = |error| if is_busy(&error) { TargetError::AuditBusy.into() } else { Failure::fault(error) };
    verified.await.map_err(Failure::fault)?.map_err(failure)
}
