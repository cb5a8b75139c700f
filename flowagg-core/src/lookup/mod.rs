//! Display names for the rows of a query: which columns have names, what must be looked up and where, and the results.
//!
//! Names are those at the time of the lookup. A record may be older: its address may have belonged to another network interface.

mod column;
mod found;
mod wanted;

pub use column::{NamedColumn, is_account_of_record, is_region_of_record, name_column, named_column};
pub use found::{Found, InterfaceFacts};
pub use wanted::{Part, Wanted, Where};
