//! `init`: writes a commented configuration that passes `check`, with every connector on dry run.
//!
//! What is missing is asked for on a terminal, or named with the flag that gives it. Nothing is overwritten unasked.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::confirm::{ask, confirm};
use super::draft::{Draft, text_value};
use super::{CommandError, Context, Exit};
use crate::config::{DEFAULT_FILE, LoadError, Mistake, Sources, load};

/// Name of the file that holds the generated webhook key, beside the configuration.
const KEY_FILE: &str = "webhook-key";
/// Bytes of randomness in a generated key.
const KEY_BYTES: usize = 24;
/// Rounds of asking for what is still missing.
const ROUNDS_MAX: usize = 50;

/// Writes a commented configuration, connectors on dry run
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  sleeksync init\n  sleeksync init --public-url https://hooks.example.com --connector blog=site --set blog.path=site"
)]
pub struct InitArgs {
    /// How Sleekplan reaches this machine
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Take the webhook key from this environment variable, instead of generating one into a file
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,
    /// A name for the Sleekplan workspace; without one every workspace is accepted
    #[arg(long, value_name = "NAME")]
    product: Option<String>,
    /// The workspace's number at Sleekplan
    #[arg(long, value_name = "ID", requires = "product")]
    product_id: Option<u64>,
    /// A connector and its kind, such as blog=wordpress; may be repeated
    #[arg(long, value_name = "NAME=KIND", value_parser = pair)]
    connector: Vec<(String, String)>,
    /// A setting of a connector, such as blog.url=https://blog.example.com; may be repeated
    #[arg(long, value_name = "NAME.KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Overwrite, and ask nothing
    #[arg(long)]
    yes: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (left, right) = text.split_once('=').ok_or("there is no `=` in it")?;
    Ok((left.trim().to_owned(), right.trim().to_owned()))
}

/// Asks, writes, and says what comes next.
pub(super) fn run(context: &Context, args: &InitArgs) -> Result<Exit, CommandError> {
    let target = context.sources.files.first().cloned().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    if target.exists() && !confirm(&format!("Overwriting {}", target.display()), args.yes)? {
        return Ok(Exit::Failed);
    }
    let mut answers = args.clone();
    let asks = !args.yes && std::io::stdin().is_terminal();
    if asks {
        ask_basics(context, &mut answers)?;
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    std::fs::create_dir_all(&folder).map_err(|source| CommandError::File { path: folder.clone(), verb: "created", source })?;
    let key = match &answers.key_env {
        Some(name) => format!("{{ env = {} }}", text_value(name)),
        None => write_key(&folder.join(KEY_FILE))?,
    };
    let file = settle(context, &mut answers, asks, &folder, &target, &key)?;
    file.persist(&target).map_err(|error| CommandError::File { path: target.clone(), verb: "written", source: error.error })?;
    context.output.line(&format!("{} is written and passes `check`.", target.display()));
    context.output.line("`sleeksync url --show-key` says what to paste into Sleekplan, `sleeksync run` starts the daemon.");
    if !answers.connector.is_empty() {
        context.output.line("Its connectors are on dry run: nothing is sent before you take out `dry_run = true`.");
    }
    Ok(Exit::Done)
}

fn ask_basics(context: &Context, answers: &mut InitArgs) -> Result<(), CommandError> {
    let given = |answer: String| (!answer.is_empty()).then_some(answer);
    if answers.public_url.is_none() {
        answers.public_url = given(ask("How does Sleekplan reach this machine, such as https://hooks.example.com? [not yet known]")?);
    }
    if answers.product.is_none() {
        answers.product = given(ask("A name for your Sleekplan workspace, such as acme? [accept any workspace]")?);
    }
    let kinds: Vec<&str> = context.sources.kinds.iter().map(|kind| kind.name).collect();
    if !answers.connector.is_empty() {
        return Ok(());
    }
    for _ in 0..ROUNDS_MAX {
        let Some(kind) = given(ask(&format!("Add a connector of which kind ({})? [none]", kinds.join(", ")))?) else { break };
        let name = given(ask(&format!("A name for it? [{kind}]"))?).unwrap_or_else(|| kind.clone());
        answers.connector.push((name, kind));
    }
    Ok(())
}

/// Writes drafts until one passes: what is missing is asked for; anything else, or nobody to ask, ends it.
fn settle(
    context: &Context,
    answers: &mut InitArgs,
    asks: bool,
    folder: &Path,
    target: &Path,
    key: &str,
) -> Result<tempfile::NamedTempFile, CommandError> {
    let failed = |source| CommandError::File { path: target.to_owned(), verb: "written", source };
    for _ in 0..ROUNDS_MAX {
        // Beside the target, so that relative paths mean the same and the last step is a rename.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(draft(answers, key).as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        let sources = Sources { files: vec![file.path().to_owned()], flags: Vec::new(), ..context.sources.clone() };
        let Err(error) = load(&sources) else { return Ok(file) };
        let missing: Vec<String> = error.mistakes.iter().filter_map(missing_setting).collect();
        if !asks || missing.is_empty() || missing.len() < error.mistakes.len() {
            return Err(named(error, target).into());
        }
        for key in missing {
            let value = ask(&format!("{key}?"))?;
            answers.set.push((key, value));
        }
    }
    Err(CommandError::usage("the answers lead nowhere", "expected every required setting"))
}

/// `blog.url` where a mistake says that `connectors.blog.url` is missing.
fn missing_setting(mistake: &Mistake) -> Option<String> {
    mistake.key.strip_prefix("connectors.").filter(|_| mistake.problem == "is missing").map(str::to_owned)
}

/// The mistakes as those of the file that was to be written, with the flag that mends each.
fn named(mut error: LoadError, target: &Path) -> LoadError {
    for mistake in &mut error.mistakes {
        mistake.file = target.display().to_string();
        if let Some(key) = missing_setting(mistake) {
            mistake.expected = format!("{}: --set {key}=VALUE", mistake.expected);
        }
    }
    error
}

fn draft(answers: &InitArgs, key: &str) -> String {
    let mut draft = Draft::of_example();
    draft.set("receiver", "keys", &format!("[{key}]"));
    if let Some(url) = &answers.public_url {
        draft.set("receiver", "public_url", &text_value(url));
    }
    if let Some(name) = &answers.product {
        draft.name_product(name);
        if let Some(id) = answers.product_id {
            draft.set(&format!("products.{name}"), "id", &id.to_string());
        }
    }
    for (name, kind) in &answers.connector {
        let settings = answers.set.iter().filter_map(|(path, value)| {
            let (connector, key) = path.split_once('.')?;
            (connector == name).then(|| (key.to_owned(), value.clone()))
        });
        draft.add_connector(name, kind, &settings.collect::<Vec<_>>());
    }
    draft.into_text()
}

/// Makes a key, readable by its owner only; one that is there already is kept.
fn write_key(path: &Path) -> Result<String, CommandError> {
    let source = format!("{{ file = \"{KEY_FILE}\" }}");
    let mut random = [0_u8; KEY_BYTES];
    getrandom::fill(&mut random).map_err(CommandError::Random)?;
    let key: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let failed = |source| CommandError::File { path: path.to_owned(), verb: "written", source };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    writeln!(file, "{key}").and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(source),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(source),
        Err(error) => Err(failed(error.error)),
    }
}
