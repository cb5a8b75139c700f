//! Paged listings with a closure for each item.

/// Like `each_page`, with a closure instead of an expression.
macro_rules! each_item {
    ($request:expr, $items:ident, $at:expr, $call:expr, $read:expr) => {
        $crate::aws::complete::each_page!($request, $items, $at, $call, |item| ($read)(item))
    };
}

pub(super) use each_item;
