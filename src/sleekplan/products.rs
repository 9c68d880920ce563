//! Which workspaces are ours.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use sleeksync_connectors::contract::{Product, ProductId, Time};

use crate::config::ProductConfig;
use crate::journal::FirstProduct;

/// Products whose clocks are reported: with none configured, strangers' numbers must not fill the memory.
const ODD_CLOCKS_MAX: usize = 1024;

/// The configured workspaces; without any, every one is accepted.
#[derive(Debug)]
pub struct Products {
    configured: RwLock<Vec<ProductConfig>>,
    /// Of which one the first event ever was: the id of the only product, where it is configured without one.
    first: FirstProduct,
    /// Those whose clock was reported already.
    odd_clocks: Mutex<BTreeSet<ProductId>>,
}

impl Products {
    /// Those of the configuration, in the store of which `first` is known.
    pub fn new(configured: &[ProductConfig], first: FirstProduct) -> Self {
        Self { configured: RwLock::new(configured.to_vec()), first, odd_clocks: Mutex::new(BTreeSet::new()) }
    }

    /// Those of another configuration from now on.
    pub fn replace(&self, configured: &[ProductConfig]) {
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = configured.to_vec();
    }

    fn known(&self) -> RwLockReadGuard<'_, Vec<ProductConfig>> {
        self.configured.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an event of this product is accepted. The only configured product takes its id from the first event, where it has none.
    pub fn admit(&self, id: ProductId) -> bool {
        let awaits_its_id = self.fixed().is_none() && matches!(self.known().as_slice(), [ProductConfig { id: None, .. }]);
        awaits_its_id || self.is_ours(id)
    }

    /// An event of this product is about to be accepted: where it is the first ever, that is on disk when this returns.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note_first(&self, id: ProductId) -> std::io::Result<()> {
        if self.fixed().is_none() {
            self.first.fix(id.0)?;
        }
        Ok(())
    }

    fn fixed(&self) -> Option<ProductId> {
        self.first.id().map(ProductId)
    }

    /// Whether items of this product are delivered.
    pub fn is_ours(&self, id: ProductId) -> bool {
        let fixed = self.fixed();
        let configured = self.known();
        configured.is_empty() || configured.iter().any(|product| product.id.or(fixed) == Some(id))
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
        let fixed = self.fixed();
        self.known().iter().filter_map(|product| product.id.or(fixed)).collect()
    }

    /// A workspace as connectors see it.
    pub fn product(&self, id: ProductId) -> Product {
        let fixed = self.fixed();
        let configured = self.known();
        let known = configured.iter().find(|product| product.id.or(fixed) == Some(id));
        known.map_or_else(|| Product::unconfigured(id), |product| product.product(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn without_products_any_is_accepted() {
        assert!(Products::new(&[], FirstProduct::default()).admit(ProductId(647_288_130)));
    }

    #[test]
    fn the_only_product_takes_its_id_from_the_first_event_there_ever_was() {
        let unnumbered = ProductConfig {
            name: "acme".to_owned(),
            id: None,
            api_key: None,
            api_url: url::Url::parse("https://api.sleekplan.com/v1").unwrap(),
            reconcile_every: std::time::Duration::ZERO,
            time_zone: jiff::tz::TimeZone::UTC,
            entry_url: None,
            feedback_url: None,
            statuses: BTreeMap::new(),
            types: BTreeMap::new(),
        };
        let products = Products::new(&[unnumbered], FirstProduct::default());
        assert!(products.admit(ProductId(5)) && products.admit(ProductId(6)) && !products.is_ours(ProductId(5)));
        products.note_first(ProductId(6)).unwrap();
        products.note_first(ProductId(5)).unwrap();
        assert!(products.admit(ProductId(6)) && !products.admit(ProductId(5)));
    }
}
