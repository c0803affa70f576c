//! Is a read model what the events say? Builds it once more, aside, and compares row by row.

use serde::Serialize;
use sqlx::PgConnection;

use crate::{
    consumer::Pass,
    projections::{Projection, Tables},
};

use super::{
    Projector,
    error::ProjectorError,
    rebuild::{self, RebuildStep, Versions},
    turn::RebuildTurn,
};

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    pub projection: String,
    /// The position at which both were compared.
    pub position: i64,
    pub rows: i64,
    /// One row of each table that is in one version only, as JSON. Empty: the two are the same.
    pub differences: Vec<ProjectionDifference>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProjectionDifference {
    pub table: String,
    /// How many rows are in one version only.
    pub rows: i64,
    /// The first row that readers see and should not.
    pub unexpected: Option<String>,
    /// The first row that readers should see and do not.
    pub missing: Option<String>,
}

impl Projector {
    /// Builds a read model aside, from the first event, and compares its rows with those that readers see.
    /// Changes nothing that readers see. `None`: its rows do not follow from the events alone.
    ///
    /// # Errors
    /// As [`Projector::rebuild`].
    pub async fn compare(
        &self,
        projection: &str,
        report: impl Fn(RebuildStep) + Send + Sync,
    ) -> Result<Option<Compared>, ProjectorError> {
        let model = &**self.find(projection)?;
        if !is_comparable(model) {
            return Ok(None);
        }
        let turn = RebuildTurn::take(&self.pool, model.name()).await?;
        turn.during(self.compare_alone(model, &turn, &report)).await.map(Some)
    }

    async fn compare_alone(
        &self,
        model: &dyn Projection,
        turn: &RebuildTurn,
        report: &(impl Fn(RebuildStep) + Send + Sync),
    ) -> Result<Compared, ProjectorError> {
        let mut aside = self.build_aside(model, turn, report).await?;
        let mut transaction = self.pool.begin().await?;
        let position = aside.meet(&mut transaction).await?;
        let projection = model.name().to_owned();
        let mut compared = Compared { projection, position, rows: 0, differences: Vec::new() };
        for table in model.tables() {
            compared.rows += count(&mut transaction, table, aside.versions.live).await?;
            compared.differences.extend(difference(&mut transaction, table, aside.versions).await?);
        }
        self.require_all_shards(&mut transaction).await?;
        transaction.rollback().await?;
        let mut transaction = self.pool.begin().await?;
        rebuild::drop_version(&mut transaction, model, aside.versions.aside).await?;
        turn.confirm(&mut transaction).await?;
        transaction.commit().await?;
        Ok(compared)
    }
}

async fn count(connection: &mut PgConnection, table: &str, version: Pass) -> Result<i64, sqlx::Error> {
    let statement = Tables { version: version.0 }.statement_on(table, include_str!("count_rows.sql"));
    sqlx::query_scalar(&statement).fetch_one(connection).await
}

async fn difference(
    connection: &mut PgConnection,
    table: &str,
    versions: Versions,
) -> Result<Option<ProjectionDifference>, sqlx::Error> {
    let statement = Tables { version: versions.live.0 }.statement_on(table, include_str!("compare.sql"));
    let statement = statement.replace("_vM", &format!("_v{}", versions.aside.0));
    let (rows, unexpected, missing): (i64, Option<String>, Option<String>) =
        sqlx::query_as(&statement).fetch_one(connection).await?;
    let table = table.to_owned();
    Ok((rows > 0).then_some(ProjectionDifference { table, rows, unexpected, missing }))
}

/// Whether rows of a read model follow from the events alone. Deadlines are crossed off as they pass.
fn is_comparable(model: &dyn Projection) -> bool {
    model.name() != "deadlines"
}
