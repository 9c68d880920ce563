//! From the configuration to the roster of the journal and the assignments of the workers.

use std::collections::BTreeMap;
use std::sync::Arc;

use sleeksync_connectors::contract::{Mode, Time, Transport};

use crate::config::{Config, ConnectorConfig, Since};
use crate::delivery::{Assignment, Backoff, Filter, Health, Pace, Paced, Policy};
use crate::index::FOLD_VERSION;
use crate::record::{self, Roster, RosterEntry};

/// The connectors as the fold knows them.
pub(super) fn roster(config: &Config, at: Time) -> Roster {
    let entry = |connector: &ConnectorConfig| {
        let capabilities = connector.instance.capabilities();
        RosterEntry {
            name: connector.name.clone(),
            kind: connector.kind.name.to_owned(),
            scope: connector.instance.scope(),
            every: capabilities.mode == Mode::Every,
            items: capabilities.items.to_vec(),
            enabled: connector.enabled,
            since: match connector.since {
                Since::FirstRun => record::Since::FirstRun,
                Since::All => record::Since::All,
                Since::At(at) => record::Since::At(at),
            },
        }
    };
    Roster { at, fold: FOLD_VERSION, connectors: config.connectors.iter().map(entry).collect() }
}

/// The connectors as their workers drive them.
pub(super) fn assignments(config: &Config, transport: &Arc<dyn Transport>) -> BTreeMap<String, Arc<Assignment>> {
    config.connectors.iter().map(|connector| (connector.name.clone(), Arc::new(assignment(connector, transport)))).collect()
}

fn assignment(connector: &ConnectorConfig, transport: &Arc<dyn Transport>) -> Assignment {
    let delivery = &connector.delivery;
    Assignment {
        name: connector.name.clone(),
        connector: Arc::clone(&connector.instance),
        transport: Paced { transport: Arc::clone(transport), pace: Pace::per_minute(delivery.rate_per_minute) },
        filter: Filter {
            products: connector.products.clone(),
            events: connector.events.clone(),
            when: connector.when.clone(),
            keeps_deleted: connector.instance.capabilities().takes_history,
        },
        policy: Policy {
            backoff: Backoff { min: delivery.backoff_min, max: delivery.backoff_max },
            park_after: delivery.park_after,
            settle: delivery.settle.clone(),
            on_missing: connector.instance.on_missing(),
        },
        concurrency: delivery.concurrency,
        timeout: delivery.timeout,
        max_creates_per_hour: delivery.creates_per_hour_max,
        dry_run: connector.dry_run,
        health: Health::default(),
    }
}
