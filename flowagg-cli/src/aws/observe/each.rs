//! Lists in pages, where reading an item is more than an expression.

/// Every page of a call, each item read by a closure.
macro_rules! each_item {
    ($request:expr, $items:ident, $at:expr, $call:expr, $read:expr) => {
        $crate::aws::complete::each_page!($request, $items, $at, $call, |item| ($read)(item))
    };
}

pub(super) use each_item;
