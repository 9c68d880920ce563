//! temp
use sleeksync_connectors::contract::*;
/// t
pub struct Products;
impl Products { /// t
 pub fn product(&self, id: ProductId) -> Product { Product::unconfigured(id) }
 /// t
 pub fn configured(&self) -> Vec<ProductId> { Vec::new() } }
