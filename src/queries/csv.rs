//! How is a CSV file written that a spreadsheet may open?

/// Adds an apostrophe to a text that a spreadsheet would read as a formula, so that nothing is executed when the file
/// is opened.
#[must_use]
pub fn as_text(words: &str) -> String {
    let runs = words.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if runs { format!("'{words}") } else { words.to_owned() }
}

/// A whole file. Texts that a spreadsheet would read as a formula were escaped before.
///
/// # Errors
/// Never, since it is written to memory.
pub fn table<const COLUMNS: usize>(
    header: &[&str; COLUMNS],
    lines: &[[String; COLUMNS]],
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for line in lines {
        writer.write_record(line)?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}
