//! Which columns may a file have, and which of its columns are wrong?

use crate::catalog::suggestion::unknown;

/// The column of the account that the line is about.
pub(super) const ACCOUNT: &str = "account";
/// The columns of the account: the same in each of its lines, or only in its first one.
const OF_ACCOUNT: [&str; 5] = ["customer", "as_of", "debt", "used_credits", "used_generations"];
/// The metadata of the account, one column per name.
pub(super) const METADATA: &str = "metadata.";
/// The columns of a grant.
const OF_GRANT: [&str; 13] = [
    "source",
    "amount",
    "cost",
    "currency",
    "payment",
    "granted_at",
    "starts_at",
    "expires_at",
    "priority",
    "grant_id",
    "subscription",
    "plan",
    "reason",
];
/// The separators of other programs.
const SEPARATORS: [(char, &str); 2] = [(';', "semicolons"), ('\t', "tabs")];

pub(super) fn is_of_account(column: &str) -> bool {
    OF_ACCOUNT.contains(&column) || column.strip_prefix(METADATA).is_some_and(|name| !name.is_empty())
}

/// Everything that is wrong with the names of columns.
pub(super) fn mistakes(columns: &[&str]) -> Vec<String> {
    if let [header] = columns
        && let Some((_, name)) = SEPARATORS.iter().find(|(separator, _)| header.contains(*separator))
    {
        return vec![format!("there are {name} between the columns; commas are expected")];
    }
    let known: Vec<&str> = [ACCOUNT].into_iter().chain(OF_ACCOUNT).chain(OF_GRANT).collect();
    let mut mistakes = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let is_repeated = columns.iter().take(index).any(|earlier| earlier == column);
        let is_last_of_them = columns.iter().skip(index.saturating_add(1)).all(|later| later != column);
        if column.is_empty() {
            mistakes.push(format!("column {} has no name", index.saturating_add(1)));
        } else if is_repeated {
            if is_last_of_them {
                mistakes.push(format!("the column `{column}` is there more than once"));
            }
        } else if !known.contains(column) && !is_of_account(column) {
            mistakes.push(unknown("column", column, &known));
        }
    }
    if !columns.contains(&ACCOUNT) {
        mistakes.push(format!("the column `{ACCOUNT}` is missing, which says whose grant a line is"));
    }
    mistakes
}
