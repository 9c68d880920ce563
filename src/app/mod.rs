//! Wires receiver -> journal -> index -> delivery, and owns the shutdown.
//!
//! Order at start: the journal is opened, the roster is written, the receiver listens. The index may still be rebuilding then; delivery
//! begins when it has caught up. Order at shutdown: new events are refused, steps in flight end, the index is closed, the journal last.

mod intake;
mod staff;
mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sleeksync_connectors::contract::Transport;
use tokio::net::TcpListener;

pub use intake::Gate;
pub use store::{OpenStoreError, Store};

use crate::admin::guard::Guard;
use crate::admin::{self, Desk};
use crate::clock::Clock;
use crate::config::Config;
use crate::receiver;
use crate::supervisor::Supervisor;

/// How long index and journal get to be closed.
const CLOSE_PATIENCE: Duration = Duration::from_secs(30);
/// Connections of the admin listener.
const ADMIN_CONNECTIONS_MAX: usize = 64;

/// Why the daemon cannot start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[from] OpenStoreError),
    /// A listener cannot be opened.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A write or sync failed: the journal takes nothing any more.
    #[error("writing the journal failed; what was acknowledged is safe, and the next start finds out what is on disk")]
    Journal,
}

/// The two listeners.
pub struct Listeners {
    /// For Sleekplan.
    pub receiver: TcpListener,
    /// For people.
    pub admin: TcpListener,
}

impl Listeners {
    /// Opens both where the configuration says.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn open(config: &Config) -> Result<Self, RunError> {
        let open = async |address| TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source });
        Ok(Self { receiver: open(config.receiver.listen).await?, admin: open(config.admin.listen).await? })
    }
}

/// A running daemon.
pub struct App {
    store: Store,
    gate: Arc<Gate>,
    listening: Supervisor,
    keys: receiver::Keys,
    guard: Guard,
}

impl App {
    /// Opens the store, then the listeners, and starts everything: a second process on one store learns that before anything else.
    ///
    /// # Errors
    /// The store or a listener cannot be opened.
    pub async fn open(config: &Config, transport: Arc<dyn Transport>, clock: Clock) -> Result<Self, RunError> {
        let store = Store::open(config, clock).await?;
        match Listeners::open(config).await {
            Ok(listeners) => Ok(Self::start(config, store, listeners, transport).await),
            Err(error) => {
                store.close(CLOSE_PATIENCE).await;
                Err(error)
            }
        }
    }

    /// Starts everything on a store and listeners that are open.
    pub async fn start(config: &Config, store: Store, listeners: Listeners, transport: Arc<dyn Transport>) -> Self {
        let clock = store.shared().clock.clone();
        store.staff(config, transport).await;
        let gate = Arc::new(Gate::new(Arc::clone(&store.desk)));
        let listening = Supervisor::new();
        let guard = Guard {
            listen: listeners.admin.local_addr().unwrap_or(config.admin.listen),
            hosts: config.admin.hosts.clone(),
            token: admin::guard::Token::new(config.admin.token.clone()),
        };
        let keys = receiver::Keys::new(&config.receiver.keys);
        let admin = admin::api::routes(Arc::clone(&store.desk), guard.clone(), config.receiver.body_timeout);
        receiver::serve(
            listeners.admin,
            admin,
            receiver::Limits {
                connections_max: ADMIN_CONNECTIONS_MAX,
                header_timeout: config.receiver.header_timeout,
                answer_timeout: config.receiver.body_timeout,
            },
            &listening,
        );
        let products = Arc::clone(&store.shared().products);
        receiver::listen(listeners.receiver, receiver_settings(config, keys.clone()), Arc::clone(&gate), products, clock, &listening);
        Self { store, gate, listening, keys, guard }
    }

    /// What can be asked and decided.
    pub fn desk(&self) -> &Arc<Desk> {
        &self.store.desk
    }

    /// Takes over another configuration: keys, token, products and connectors, whose workers end their steps first. Listeners and store stay.
    pub async fn reload(&self, config: &Config, transport: Arc<dyn Transport>) {
        self.keys.replace(&config.receiver.keys);
        self.guard.token.replace(config.admin.token.clone());
        self.store.shared().products.replace(&config.products);
        self.store.staff(config, transport).await;
    }

    /// Ends when the journal has failed and the process must end.
    pub async fn failed(&self) {
        self.store.shared().journal.failed().await;
    }

    /// Refuses new events, lets steps in flight end, and closes the store.
    pub async fn shut_down(self) {
        self.gate.close();
        self.store.stop_delivery().await;
        self.listening.shut_down(Duration::from_secs(10)).await;
        self.store.close(CLOSE_PATIENCE).await;
    }
}

fn receiver_settings(config: &Config, keys: receiver::Keys) -> receiver::Settings {
    let from = &config.receiver;
    receiver::Settings {
        path: from.path.clone(),
        keys,
        allow_unauthenticated: from.allow_unauthenticated,
        max_body: from.body_bytes_max,
        header_timeout: from.header_timeout,
        body_timeout: from.body_timeout,
        max_connections: from.connections_max,
        capture_dir: from.capture_dir.clone(),
    }
}
