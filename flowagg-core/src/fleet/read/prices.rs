use crate::cost::Prices;
use crate::fleet::table::Table;

/// Prices that replace the list prices.
pub(super) fn read(table: Table<'_, '_>) -> Prices {
    const MOST: u32 = 1000;
    let delivery = table.get("delivery-per-gb").and_then(|value| value.price());
    let storage = table.get("storage-per-gb-month").and_then(|value| value.price());
    let compression = table.get("compression").and_then(|value| value.count(MOST));
    table.refuse_unknown();
    let listed = Prices::default();
    Prices {
        delivery_per_gb: delivery.unwrap_or(listed.delivery_per_gb),
        storage_per_gb_month: storage.unwrap_or(listed.storage_per_gb_month),
        compression: compression.unwrap_or(listed.compression),
        are_listed: delivery.is_none() && storage.is_none(),
    }
}
