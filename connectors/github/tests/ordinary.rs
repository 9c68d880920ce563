//! Ordinary feedback as issues, compared with what a person has read and found right.
//!
//! `github/goldens-ordinary` holds title, body and labels; with `UPDATE_GOLDENS=1` they are written anew, to be read before they are committed.

use serde_json::json;

use super::*;
use crate::kit::text::Text;
use crate::kit::text::tests::goldens::{holds, ordinary};

#[test]
fn ordinary_feedback_comes_out_as_reviewed() {
    let github = connector(json!({"include_author": true, "labels": ["sleekplan"]}));
    let mut different = Vec::new();
    for (name, source, is_html) in ordinary() {
        let text = if is_html { Text::from_html(&source) } else { Text::from_plain(&source) };
        let title: String = text.plain().lines().next().unwrap_or(&name).chars().take(60).collect();
        let mut more = json!({"title": title, "total_down": 1, "user": {"data_name": "jane_doe"}});
        more[if is_html { "description_html" } else { "description" }] = json!(source);
        let Plan::Run(steps) = plan(&github, &feedback(more), &Links::default(), NOW) else { panic!("nothing is planned") };
        let Op::CreateIssue { title, body, labels } = &steps[0].op else { panic!("{:?}", steps[0].op) };
        if !holds(&format!("github/goldens-ordinary/{name}.md"), &format!("{title}\n{}\n\n{body}\n", labels.join(", "))) {
            different.push(name);
        }
    }
    assert_eq!(different, Vec::<String>::new());
}
