//! The sample fulfils every rule, and each thing that is wrong with a broken one is seen by its rule alone.

use super::*;
use crate::testing::conformance::{Fixture, Rule, Violation, conformance};

conformance!(Sample, SampleFixture);

async fn broken_rules(breach: Breach) -> Vec<Violation> {
    let mut violations = Vec::new();
    for rule in Rule::ALL {
        violations.extend(rule.run(&BrokenFixture(breach)).await.err());
    }
    violations
}

#[test]
fn the_suite_fails_on_exactly_the_rule_that_is_broken() {
    let alone = |breach: Breach| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let violations = runtime.block_on(broken_rules(breach));
        let rules: Vec<Rule> = violations.iter().map(|violation| violation.rule).collect();
        assert_eq!(rules, [breach.rule()], "{breach:?}: {violations:#?}");
    };
    // Side by side: each of them is brought a few mebibytes of hostile text.
    std::thread::scope(|threads| Breach::ALL.iter().for_each(|breach| drop(threads.spawn(|| alone(*breach)))));
}

#[test]
fn every_rule_has_a_connector_that_breaks_it() {
    for rule in Rule::ALL {
        assert!(Breach::ALL.iter().any(|breach| breach.rule() == *rule), "{rule:?}");
    }
}

struct Exempt(&'static str);

impl Fixture for Exempt {
    type Connector = Broken;
    type Fake = <BrokenFixture as Fixture>::Fake;

    async fn start(&self) -> Self::Fake {
        BrokenFixture(Breach::ParksLimits).start().await
    }

    fn cases(&self) -> Vec<crate::testing::Case> {
        SampleFixture.cases()
    }

    fn goldens(&self) -> &'static str {
        SampleFixture.goldens()
    }

    fn exempt(&self) -> &'static [(Rule, &'static str)] {
        match self.0 {
            "" => &[(Rule::Statuses, " ")],
            _ => &[(Rule::Statuses, "it speaks no HTTP")],
        }
    }
}

#[tokio::test]
async fn a_rule_is_left_out_for_a_reason_only() {
    assert_eq!(Rule::Statuses.run(&Exempt("reason")).await, Ok(()));
    assert_eq!(Rule::Statuses.run(&Exempt("")).await.unwrap_err().what, "the exemption gives no reason");
}
