//! Which workspaces are ours.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use sleeksync_connectors::contract::{Product, ProductId, Time};

use crate::config::ProductConfig;

/// Products whose clocks are reported: with none configured, strangers' numbers must not fill the memory.
const ODD_CLOCKS_MAX: usize = 1024;

/// The configured workspaces; without any, every one is accepted.
#[derive(Debug)]
pub struct Products {
    configured: RwLock<Vec<ProductConfig>>,
    /// The id that the only product without one took from its first event.
    fixed: Mutex<Option<ProductId>>,
    /// Those whose clock was reported already.
    odd_clocks: Mutex<BTreeSet<ProductId>>,
}

impl Products {
    /// Those of the configuration.
    pub fn new(configured: &[ProductConfig]) -> Self {
        Self { configured: RwLock::new(configured.to_vec()), fixed: Mutex::new(None), odd_clocks: Mutex::new(BTreeSet::new()) }
    }

    /// Those of another configuration from now on.
    pub fn replace(&self, configured: &[ProductConfig]) {
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = configured.to_vec();
    }

    fn known(&self) -> RwLockReadGuard<'_, Vec<ProductConfig>> {
        self.configured.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether events of this product are delivered. The only configured product takes its id from the first event, where it has none.
    pub fn admit(&self, id: ProductId) -> bool {
        let configured = self.known();
        if configured.is_empty() {
            return true;
        }
        if let [ProductConfig { id: None, .. }] = configured.as_slice() {
            let mut fixed = self.fixed.lock().unwrap_or_else(PoisonError::into_inner);
            return *fixed.get_or_insert(id) == id;
        }
        configured.iter().any(|product| product.id == Some(id))
    }

    /// The id it took earlier, as the index knows it.
    pub fn fix(&self, id: ProductId) {
        self.fixed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(id);
    }

    /// An event's time is not believable: said once per product.
    pub fn report_clock(&self, id: ProductId, sent: Time) {
        let mut reported = self.odd_clocks.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.len() < ODD_CLOCKS_MAX && reported.insert(id) {
            tracing::warn!(product = id.0, sent = %sent, "events carry a time that is not believable; the time of receipt is used");
        }
    }

    /// The ids of the configuration.
    pub fn configured(&self) -> Vec<ProductId> {
        let fixed = *self.fixed.lock().unwrap_or_else(PoisonError::into_inner);
        self.known().iter().filter_map(|product| product.id.or(fixed)).collect()
    }

    /// A workspace as connectors see it.
    pub fn product(&self, id: ProductId) -> Product {
        let fixed = *self.fixed.lock().unwrap_or_else(PoisonError::into_inner);
        let configured = self.known();
        let known = configured.iter().find(|product| product.id.or(fixed) == Some(id));
        known.map_or_else(|| Product::unconfigured(id), |product| product.product(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_products_any_is_accepted() {
        assert!(Products::new(&[]).admit(ProductId(647_288_130)));
    }
}
