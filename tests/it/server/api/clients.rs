//! Is what others generate from the document a client of this program? A deduction in TypeScript, and one in Python.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Scratch, http::Server, node, optional::run, python};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
/// As many files as a generated client may have. With a schema for each answer, there were 1,703.
const FILES_MAX: usize = 500;

/// What was taken of the 50 credits that an account begins with.
async fn deduct(server: &Server, client: impl FnOnce(String, String) -> Option<()> + Send + 'static) {
    let (address, key) = (server.address.clone(), server.admin.clone());
    if tokio::task::spawn_blocking(move || client(address, key)).await.expect("no panic").is_some() {
        assert_eq!(server.balance("typed").await["available"], 45);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generated_typescript_client_deducts() {
    let server = Server::start().await;
    deduct(&server, |address, key| {
        let project = node::project(&Path::new(HERE).join("typescript"))?;
        let tool = |name: &str| Command::new(project.join("node_modules/.bin").join(name));
        run(tool("openapi-typescript").args([DOCUMENT, "--output", "schema.ts"]).current_dir(&project));
        run(tool("tsc").args(["--project", "."]).current_dir(&project));
        run(Command::new("node").args(["built/deduct.js", &address, &key]).current_dir(&project));
        Some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generated_python_client_deducts() {
    let server = Server::start().await;
    deduct(&server, |address, key| {
        let python = python::with(python::CLIENT_GENERATOR, "openapi_python_client")?;
        let home = Scratch::create();
        let (settings, package) = (home.path().join("settings.yml"), home.path().join("ledger_client"));
        // Nothing of it is formatted.
        fs::write(&settings, "post_hooks: []\n").expect("a file");
        let mut generate = Command::new(&python);
        generate.args(["-m", "openapi_python_client", "generate", "--path", DOCUMENT, "--meta", "none"]);
        // A route that cannot be generated is a warning, which is a mistake here.
        generate.arg("--fail-on-warning").arg("--config").arg(&settings).arg("--output-path").arg(&package);
        run(&mut generate);
        let files = files(&package).len();
        assert!((100..FILES_MAX).contains(&files), "{files} files");
        let program = Path::new(HERE).join("python/deduct.py");
        run(Command::new(&python).arg(program).args([address, key]).env("PYTHONPATH", home.path()));
        Some(())
    })
    .await;
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
