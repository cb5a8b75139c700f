//! The items of every page of a call.

/// Calls a function with each item of every page. The SDK's own paginator would take more processor time: it has a channel, and adds a
/// plugin to each call. Returns from the function around it with the failure of a call, or of an item that cannot be read.
macro_rules! each_item {
    ($request:expr, $items:ident, $at:expr, $call:expr, $each:expr) => {{
        let incomplete = |why: $crate::aws::complete::Incomplete| $at.incomplete($call, &why);
        let (mut request, mut turned) = ($request, $crate::aws::complete::Pages::default());
        loop {
            let page = request.clone().send().await.map_err(|error| $at.failure($call, &error))?;
            turned.turn(page.next_token(), None).map_err(incomplete)?;
            for item in page.$items() {
                let read: Result<(), $crate::aws::complete::Incomplete> = $each(item);
                read.map_err(incomplete)?;
            }
            let Some(next) = page.next_token().filter(|next| !next.is_empty()) else { break };
            request = request.next_token(next);
        }
    }};
}

pub(super) use each_item;
