//! Does the state of every account follow from its events?

use futures::TryStreamExt;
use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::{
    domain::{account::Account, ids::AccountId, recorded::Shard},
    journal::{row, snapshot},
};

use super::finding::{AuditFinding, AuditProblem, Verification, VerifyError};

/// How many accounts' histories are read at once.
const ACCOUNTS_READ: i64 = 500;

/// An account whose history is being followed.
struct Following {
    id: String,
    state: Account,
    /// Whether its history is damaged, so that the rest is not checked.
    broken: bool,
    /// Its snapshot, until the history reaches it.
    snapshot: Option<(i64, Account)>,
}

pub(super) async fn verify(
    connection: &mut PgConnection,
    shard: Shard,
    verification: &mut Verification,
) -> Result<(), VerifyError> {
    let mut after = String::new();
    loop {
        let ids: Vec<String> = sqlx::query_scalar(include_str!("accounts.sql"))
            .bind(shard.0)
            .bind(&after)
            .bind(ACCOUNTS_READ)
            .fetch_all(&mut *connection)
            .await?;
        let Some(last) = ids.last() else {
            return orphans(connection, shard, verification).await;
        };
        after.clone_from(last);
        follow_all(connection, shard, &ids, verification).await?;
    }
}

async fn follow_all(
    connection: &mut PgConnection,
    shard: Shard,
    ids: &[String],
    verification: &mut Verification,
) -> Result<(), VerifyError> {
    let accounts: Vec<AccountId> = ids.iter().filter_map(|id| AccountId::parse(id).ok()).collect();
    let mut snapshots = snapshot::find(connection, shard, &accounts).await?;
    let mut rows = sqlx::query(include_str!("histories.sql")).bind(shard.0).bind(ids).fetch(connection);
    let mut following: Option<Following> = None;
    while let Some(row) = rows.try_next().await? {
        let id: &str = row.try_get("aggregate_id")?;
        if following.as_ref().is_none_or(|following| following.id != id) {
            finish(following.take(), verification);
            let kept = AccountId::parse(id).ok().and_then(|id| snapshots.remove(&id));
            following = Some(Following {
                id: id.to_owned(),
                state: Account::Unopened,
                broken: false,
                snapshot: kept.map(|known| (known.sequence(), known.state)),
            });
        }
        if let Some(following) = &mut following {
            following.take(&row, verification)?;
        }
    }
    finish(following, verification);
    Ok(())
}

impl Following {
    fn take(&mut self, row: &PgRow, verification: &mut Verification) -> Result<(), sqlx::Error> {
        let (sequence, position): (i64, i64) = (row.try_get("sequence")?, row.try_get("position")?);
        if self.broken {
            return Ok(());
        }
        let follows = i64::try_from(self.state.version()).is_ok_and(|version| version + 1 == sequence);
        let event = row::decode_event(row, position).ok();
        let applied = event.filter(|_| follows).is_some_and(|event| self.state.apply(&event).is_ok());
        if !applied {
            self.broken = true;
            let detail = format!("event {sequence} of account {} does not follow its history", self.id);
            self.find(AuditProblem::HistoryBroken, Some(position), detail, verification);
        }
        if let Some((_, kept)) = self.snapshot.take_if(|(at, _)| *at == sequence) {
            verification.snapshots += 1;
            if kept != self.state {
                let detail = format!("the snapshot of account {} at event {sequence} is wrong", self.id);
                self.find(AuditProblem::SnapshotChanged, None, detail, verification);
            }
        }
        Ok(())
    }

    fn find(
        &self,
        problem: AuditProblem,
        position: Option<i64>,
        detail: String,
        verification: &mut Verification,
    ) {
        // Only the earliest finding of a kind is kept.
        let known = verification.findings.iter_mut().find(|known| known.problem == problem);
        let found = AuditFinding { problem, position, block: None, account: Some(self.id.clone()), detail };
        match known {
            None => verification.findings.push(found),
            Some(known) if position.is_some_and(|at| known.position.is_none_or(|known| at < known)) => {
                *known = found;
            }
            Some(_) => {}
        }
    }
}

fn finish(following: Option<Following>, verification: &mut Verification) {
    let Some(following) = following else {
        return;
    };
    verification.accounts += 1;
    let grants = following.state.opened().into_iter().flat_map(|account| account.wallet.grants());
    if !following.broken && grants.into_iter().any(|grant| !grant.is_conserved()) {
        let detail = format!("a grant of account {} does not add up", following.id);
        following.find(AuditProblem::NotConserved, None, detail, verification);
    }
    if let Some((at, _)) = following.snapshot.as_ref().filter(|_| !following.broken) {
        let detail =
            format!("there is a snapshot of account {} at event {at}, which does not exist", following.id);
        following.find(AuditProblem::SnapshotChanged, None, detail, verification);
    }
}

/// Accounts whose first event is missing, which are not found by it.
async fn orphans(
    connection: &mut PgConnection,
    shard: Shard,
    verification: &mut Verification,
) -> Result<(), VerifyError> {
    let orphan = sqlx::query(include_str!("orphan.sql")).bind(shard.0).fetch_optional(connection).await?;
    if let Some(row) = orphan {
        let account: String = row.try_get("aggregate_id")?;
        let detail = format!("account {account} has no first event");
        let position = row.try_get("position")?;
        let account = Some(account);
        verification.findings.push(AuditFinding {
            problem: AuditProblem::HistoryBroken,
            position,
            block: None,
            account,
            detail,
        });
    }
    Ok(())
}
