//! Does every read model match the events?

use crate::projector::{Compared, Projector, ProjectorError};

use super::finding::{AuditFinding, AuditProblem, Verification};

/// Builds every read model again, separately, and compares it row by row with what readers see.
/// `progress` gets the read model's name, and how many of how many events it has processed.
///
/// # Errors
/// If a read model is being rebuilt, or the database does not answer.
pub async fn verify_read_models(
    projector: &Projector,
    verification: &mut Verification,
    progress: impl Fn(&str, i64, i64) + Send + Sync,
) -> Result<(), ProjectorError> {
    for name in projector.names() {
        match projector.compare(name, |step| progress(name, step.position.0, step.goal.0)).await {
            Ok(Some(compared)) => {
                verification.findings.extend(findings(&compared));
                verification.read_models.push(compared);
            }
            Ok(None) => verification.left_out.push(name.to_owned()),
            // Whoever changed an event may have made it unreadable, which must not hide what else was found.
            Err(error) if error.is_lasting() => verification.findings.push(AuditFinding {
                problem: AuditProblem::ReadModelNotBuilt,
                shard: None,
                position: None,
                block: None,
                account: None,
                detail: format!("read.{name} cannot be built: {error}"),
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn findings(compared: &Compared) -> impl Iterator<Item = AuditFinding> {
    compared.differences.iter().map(|difference| {
        let of = |what: &str, row: &Option<String>| {
            row.as_ref().map_or_else(String::new, |row| format!("; {what} is {row}"))
        };
        AuditFinding {
            problem: AuditProblem::ReadModelDiffers,
            shard: None,
            position: None,
            block: None,
            account: None,
            detail: format!(
                "{} rows of read.{} differ from what the events up to position {} say{}{}",
                difference.rows,
                difference.table,
                compared.position,
                of("the first that should not be there", &difference.unexpected),
                of("the first that is missing", &difference.missing),
            ),
        }
    })
}
