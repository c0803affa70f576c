//! Does the state of every account follow from its events?

use futures::TryStreamExt;
use sqlx::{Row, postgres::PgRow};

use crate::{
    domain::{account::Account, event::Event, ids::AccountId, recorded::Shard},
    journal::{find, row, shards::Shards, snapshot, unique},
};

use super::{
    finding::{AuditFinding, AuditProblem, Verification, VerifyError},
    moment::{JournalMoment, MomentReader},
    work::Work,
};

/// How many accounts' histories are read at once.
const ACCOUNTS_READ: usize = 200;

/// An account whose history is being followed.
struct Following {
    id: String,
    state: Account,
    /// Whether its history is damaged, so that the rest is not checked.
    broken: bool,
    /// Its snapshot, until the history reaches it.
    snapshot: Option<(i64, Account)>,
}

/// Checks the accounts of a shard that have events after a position; all of them, after none.
/// `shards`: where accounts belong, if it is known.
///
/// # Errors
/// If the database does not answer.
pub(super) async fn verify(
    moment: &JournalMoment,
    (shard, shards): (Shard, Option<&Shards>),
    since: i64,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<Verification, VerifyError> {
    let mut work = Work::new(moment, progress);
    if since > 0 {
        let mut reader = moment.reader().await?;
        let query = sqlx::query_scalar(include_str!("changed.sql")).bind(shard.0).bind(since);
        let changed: Vec<String> = query.fetch_all(reader.connection()?).await?;
        drop(reader);
        for ids in changed.chunks(ACCOUNTS_READ) {
            let ids = ids.to_vec();
            let shards = shards.cloned();
            work.add(|reader| follow_all(reader, shard, shards, ids)).await?;
        }
        return work.finish().await;
    }
    let mut after = String::new();
    loop {
        let mut reader = moment.reader().await?;
        let limit = i64::try_from(ACCOUNTS_READ).unwrap_or(i64::MAX);
        let ids = find::accounts(reader.connection()?, shard, &after, limit).await?;
        drop(reader);
        let Some(last) = ids.last() else { break };
        after.clone_from(last);
        let shards = shards.cloned();
        work.add(|reader| follow_all(reader, shard, shards, ids)).await?;
    }
    work.add(|reader| orphans(reader, shard)).await?;
    work.finish().await
}

async fn follow_all(
    mut reader: MomentReader,
    shard: Shard,
    shards: Option<Shards>,
    ids: Vec<String>,
) -> Result<Verification, VerifyError> {
    let connection = reader.connection()?;
    let mut verification = Verification::default();
    let accounts: Vec<AccountId> = ids.iter().filter_map(|id| AccountId::parse(id).ok()).collect();
    let mut snapshots = snapshot::find(connection, shard, &accounts).await?;
    let mut rows = sqlx::query(include_str!("histories.sql")).bind(shard.0).bind(ids).fetch(connection);
    let mut following: Option<Following> = None;
    while let Some(row) = rows.try_next().await? {
        let id: &str = row.try_get("aggregate_id")?;
        if following.as_ref().is_none_or(|following| following.id != id) {
            finish(following.take(), &mut verification);
            let kept = AccountId::parse(id).ok().and_then(|id| snapshots.remove(&id));
            following = Some(Following {
                id: id.to_owned(),
                state: Account::Unopened,
                broken: false,
                snapshot: kept.map(|known| (known.sequence(), known.state)),
            });
        }
        if let Some(following) = &mut following {
            following.take(&row, &mut verification)?;
            if row.try_get::<i64, _>("sequence")? == 1
                && let Some(shards) = &shards
            {
                following.is_looked_for_in(shard, shards, row.try_get("position")?, &mut verification);
            }
        }
        verification.events = verification.events.saturating_add(1);
    }
    finish(following, &mut verification);
    Ok(verification)
}

/// Whether the column `generation` is what the event says.
/// The column is not hashed, since it follows from hashed columns.
fn names_its_generation(event: &Event, stored: Option<&str>, sequence: i64) -> bool {
    let expected = unique::generation(event, sequence);
    // If an earlier release charged a generation twice, only the first charge is the generation's own.
    let numbered =
        expected.as_deref().and_then(|text| text.strip_suffix(' ')).map(|id| format!("{id} {sequence}"));
    stored == expected.as_deref() || stored.is_some() && stored == numbered.as_deref()
}

impl Following {
    fn take(&mut self, row: &PgRow, verification: &mut Verification) -> Result<(), sqlx::Error> {
        let (sequence, position): (i64, i64) = (row.try_get("sequence")?, row.try_get("position")?);
        let event = row::decode_event(row, position).ok();
        let stored: Option<&str> = row.try_get("generation")?;
        if event.as_ref().is_some_and(|event| !names_its_generation(event, stored, sequence)) {
            let detail = format!("the column `generation` at position {position} is not what the event says");
            self.find(AuditProblem::EventChanged, Some(position), detail, verification);
        }
        if self.broken {
            return Ok(());
        }
        let follows = i64::try_from(self.state.version()).is_ok_and(|version| version + 1 == sequence);
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

    fn is_looked_for_in(
        &self,
        shard: Shard,
        shards: &Shards,
        position: i64,
        verification: &mut Verification,
    ) {
        let belongs = AccountId::parse(&self.id).map(|id| shards.of(&id));
        if let Ok(belongs) = belongs
            && belongs != shard
        {
            let detail = format!("account {} is looked for in shard {}, and not here", self.id, belongs.0);
            self.find(AuditProblem::AccountElsewhere, Some(position), detail, verification);
        }
    }

    fn find(
        &self,
        problem: AuditProblem,
        position: Option<i64>,
        detail: String,
        verification: &mut Verification,
    ) {
        let account = Some(self.id.clone());
        verification.find(AuditFinding { problem, shard: None, position, block: None, account, detail });
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
async fn orphans(mut reader: MomentReader, shard: Shard) -> Result<Verification, VerifyError> {
    let mut verification = Verification::default();
    let orphan = sqlx::query(include_str!("orphan.sql")).bind(shard.0);
    if let Some(row) = orphan.fetch_optional(reader.connection()?).await? {
        let account: String = row.try_get("aggregate_id")?;
        verification.find(AuditFinding {
            problem: AuditProblem::HistoryBroken,
            shard: None,
            position: row.try_get("position")?,
            block: None,
            detail: format!("account {account} has no first event"),
            account: Some(account),
        });
    }
    Ok(verification)
}
