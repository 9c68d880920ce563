//! When an issue is closed, and as what.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_closed_issue_is_opened_to_be_closed_for_another_reason() {
    let github = connector(json!({"closed_statuses": {"completed": "completed", "declined": "not_planned"}}));
    let (wire, mut links) = (wire(), Links::default());
    let reason = |wire: &Wire| wire.fake().issues[&1].state_reason.clone().unwrap_or_default();
    bring(&github, &wire, &feedback(json!({"status": "completed"})), &mut links, NOW).await.unwrap();
    assert_eq!(reason(&wire), "completed");
    let steps = bring(&github, &wire, &feedback(json!({"status": "declined"})), &mut links, NOW).await.unwrap();
    assert_eq!((steps.last().map(String::as_str), reason(&wire).as_str()), (Some("close"), "not_planned"));
    let deleted = Item { deleted: true, ..feedback(json!({})) };
    assert!(bring(&github, &wire, &deleted, &mut links, NOW).await.unwrap().is_empty(), "it is closed as not planned already");
    // A crash in between: whether it is closed, and as what, is not known.
    links.own.get_mut(&Part::new("state")).unwrap().content = None;
    bring(&github, &wire, &feedback(json!({"status": "completed"})), &mut links, NOW).await.unwrap();
    assert_eq!(reason(&wire), "completed");
}

#[tokio::test]
async fn a_shipped_issue_whose_feedback_is_deleted_is_closed_as_not_planned() {
    let github = connector(json!({"close_on_ship": true}));
    let (wire, mut links) = (wire(), Links::default());
    bring(&github, &wire, &feedback(json!({})), &mut links, NOW).await.unwrap();
    let below = Links { parent: links.own.clone(), ..Links::default() };
    let entry = Item {
        id: ItemId::top(ProductId(7), ItemKind::Changelog, "771").unwrap(),
        fields: Fields::from_value(json!({"changelog_id": 771, "feedback_id": 3, "title": "It is here", "enabled": true})),
        ..feedback(json!({}))
    };
    assert_eq!(bring(&github, &wire, &entry, &mut below.clone(), NOW).await.unwrap(), ["close as shipped"]);
    let reason = |wire: &Wire| wire.fake().issues[&1].state_reason.clone().unwrap_or_default();
    assert_eq!(reason(&wire), "completed");
    let deleted = Item { deleted: true, ..feedback(json!({})) };
    bring(&github, &wire, &deleted, &mut links, NOW).await.unwrap();
    assert_eq!(reason(&wire), "not_planned");
}

#[tokio::test]
async fn on_delete_keep_leaves_the_issue_open() {
    let github = connector(json!({"on_delete": "keep"}));
    let (wire, mut links) = (wire(), Links::default());
    bring(&github, &wire, &feedback(json!({})), &mut links, NOW).await.unwrap();
    let deleted = Item { deleted: true, ..feedback(json!({})) };
    assert!(matches!(plan(&github, &deleted, &links, NOW), Plan::Skip(_)));
    assert_eq!(wire.fake().issues[&1].state, "open");
}
