//! Steps that were written to a journal by an earlier release can still be read.

use std::path::Path;

use super::{Fixture, Rule, Violation, folder, world, world_before_step};
use crate::contract::{AnyOp, Links};

/// Set to `write`, this lets the tests write the goldens that are missing.
const VARIABLE: &str = "SLEEKSYNC_GOLDENS";

/// Every step in the folder of goldens can be read; and there is one for each step of each case, so that nothing is released unguarded.
///
/// # Errors
/// Which one cannot be read, or is missing.
pub async fn old_steps_still_load<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    let folder = folder(fixture.goldens());
    for case in fixture.cases() {
        let mut number = 0;
        while let Some((_, step)) = world_before_step(fixture, Rule::Goldens, &case, number).await? {
            number += 1;
            let name = format!("{}-{number}-{}.json", case.name, step.name).replace(' ', "-");
            keep(&folder.join(&name), &step.op.json()).map_err(|what| Rule::Goldens.broken_in(&case, format!("{name}: {what}")))?;
        }
    }
    let Some(case) = fixture.cases().into_iter().next() else { return Err(Rule::Goldens.broken("the fixture has no case")) };
    let world = world(fixture, Rule::Goldens, &case).await?;
    for (name, op) in read(&folder).map_err(|what| Rule::Goldens.broken(what))? {
        if let Err(error) = world.connector.preview(&AnyOp::from_json(op), &Links::default()) {
            let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            return Err(Rule::Goldens.broken(format!("{name}: {error}: {why}")));
        }
    }
    Ok(())
}

/// Checks that there is a golden, or writes it. One that is there is never changed: it is what an earlier release wrote.
fn keep(path: &Path, op: &str) -> Result<(), String> {
    if path.exists() {
        return Ok(());
    }
    if std::env::var(VARIABLE).as_deref() != Ok("write") {
        return Err(format!("there is no golden of this step; run the test once with {VARIABLE}=write and commit the file"));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    std::fs::write(path, op).map_err(|error| error.to_string())
}

fn read(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut goldens = Vec::new();
    for file in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = file.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            goldens.push((name, std::fs::read_to_string(&path).map_err(unreadable)?));
        }
    }
    goldens.sort();
    Ok(goldens)
}
