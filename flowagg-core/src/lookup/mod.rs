//! Names for the rows of a query: which columns have one, what has to be looked up for them and where, and what was found.
//!
//! Names are those at the time of the look-up. A record may be older: its address may have belonged to another network interface.

mod column;
mod found;
mod wanted;

pub use column::{NamedColumn, is_account_of_record, is_region_of_record, name_column, named_column};
pub use found::{Found, InterfaceFacts};
pub use wanted::{Part, Wanted, Where};
