//! Which name was probably meant? Finds known names that are similar to a mistyped one.

/// Longer words are not compared, since that takes too long.
const WORD_BYTES_MAX: usize = 64;

/// How many known names a message lists if none is similar.
const LISTED_NAMES_MAX: usize = 16;

/// A message that `word` is not a known `kind`, with similar names.
#[must_use]
pub fn unknown(kind: &str, word: &str, known: &[&str]) -> String {
    let said = unknown_of_many(kind, word, known);
    if known.is_empty() || known.len() > LISTED_NAMES_MAX || find_nearest(word, known).is_some() {
        return said;
    }
    let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    format!("{said}; known: {}", known.join(", "))
}

/// The same, if there are more known names than the `usual` ones.
#[must_use]
pub fn unknown_of_many(kind: &str, word: &str, usual: &[&str]) -> String {
    match find_nearest(word, usual) {
        Some(nearest) => format!("unknown {kind} `{word}`; did you mean `{nearest}`?"),
        None => format!("unknown {kind} `{word}`"),
    }
}

fn find_nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let tolerance = (word.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (if is_rearranged(word, name) { 1 } else { distance(word, name) }, *name))
        .filter(|(distance, _)| *distance <= tolerance)
        .min()
        .map(|(_, name)| name)
}

/// Whether only the order of the letters is wrong, which is the most frequent typing mistake.
fn is_rearranged(word: &str, name: &str) -> bool {
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    sorted(word) == sorted(name)
}

/// How many letters must be added, removed or changed to get from one word to the other (Levenshtein distance).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let first: Vec<usize> = (0..=to.len()).collect();
    let last = from.chars().zip(1..).fold(first, |above, (letter, line)| next_row(&above, line, letter, &to));
    last.last().copied().unwrap_or_default()
}

fn next_row(above: &[usize], line: usize, letter: char, to: &[char]) -> Vec<usize> {
    let diagonal_and_up = above.iter().zip(above.iter().skip(1));
    let mut left = line;
    let rest = diagonal_and_up.zip(to).map(|((diagonal, up), other)| {
        left = (diagonal + usize::from(letter != *other)).min(up + 1).min(left + 1);
        left
    });
    std::iter::once(line).chain(rest).collect()
}
