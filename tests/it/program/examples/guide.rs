//! Is the guide's code that of the examples? Each block stands, as it is, in the file that is linked before it.

use crate::support::pages::{blocks, page, root};

/// Languages of code that is in a file.
const CODE: [&str; 3] = ["python", "ts", "json"];
/// Fewer blocks than this would mean that they are not found any more.
const BLOCKS_MIN: usize = 12;

/// The file of the examples that was linked last before each block.
fn linked(guide: &str) -> Vec<&str> {
    let (mut last, mut is_block, mut files) = ("", false, Vec::new());
    for line in guide.lines() {
        if line.starts_with("```") {
            is_block = !is_block;
            if is_block {
                files.push(last);
            }
        } else if !is_block {
            let target = line.rsplit_once("](../examples/").and_then(|(_, rest)| rest.split_once(')'));
            last = target.map_or(last, |(target, _)| target);
        }
    }
    files
}

#[test]
fn its_code_is_that_of_the_examples() {
    let guide = page("docs/GUIDE.md");
    let mut found = 0;
    for (block, file) in blocks(&guide).into_iter().zip(linked(&guide)) {
        if !CODE.contains(&block.language) {
            assert!(["sh", "text"].contains(&block.language), "a block of {}", block.language);
            continue;
        }
        let source = page(&format!("examples/{file}"));
        let code = block.lines.join("\n");
        assert!(source.contains(&code), "this is not in examples/{file}:\n{code}");
        found += 1;
    }
    assert!(found >= BLOCKS_MIN, "{found} blocks");
}

#[test]
fn its_commands_are_there() {
    let guide = page("docs/GUIDE.md");
    let manifest = page("examples/nextjs/package.json");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let lines: Vec<&str> = blocks(&guide)
        .into_iter()
        .filter(|block| block.language == "sh")
        .flat_map(|block| block.lines)
        .collect();
    for line in &lines {
        if let Some((_, script)) = line.split_once("npm run ") {
            assert!(manifest["scripts"][script].is_string(), "{line}");
        }
        let copied = line.split_whitespace().filter(|word| word.contains("/examples/"));
        for path in copied.filter_map(|word| word.split_once("/examples/")) {
            assert!(root().join("examples").join(path.1).exists(), "{line}");
        }
    }
    let created = lines.iter().find(|line| line.contains("keys create")).expect("a key is made");
    for scope in ["deduct", "read", "billing"] {
        assert!(created.contains(&format!("--scope {scope}")), "{created}");
    }
}

/// After the prompt that breaks the work, the next steps need the one that both pages begin with.
#[test]
fn its_steps_go_on_with_the_prompt_and_the_numbers_of_the_examples() {
    const PROMPT: &str = "rain on a tin roof";
    for file in ["examples/python/index.html", "examples/nextjs/app/page.tsx"] {
        assert!(page(file).contains(&format!("\"{PROMPT}\"")), "{file}");
    }
    let (left, spent) = (45, 4 * PROMPT.split(' ').count());
    let guide = page("docs/GUIDE.md");
    let steps: Vec<&str> = guide.split("Write `silence` as the prompt").skip(1).collect();
    assert_eq!(steps.len(), 2, "one for each example");
    for step in steps {
        let again = step.find(&format!("Then write `{PROMPT}` again")).expect("the prompt is put back");
        let rendered = step.find(&format!(
            "makes a song of {spent} seconds, four for each word of the prompt, and spends {spent}: {} are left.",
            left - spent
        ));
        assert!(rendered.is_some_and(|rendered| again < rendered), "{step}");
    }
}
