//! The plan: every difference between the fleet file and the observed state of AWS, including the bucket policy, and
//! the only functions that create one.
//!
//! Failed reads are part of the input: [`plan`] holds back every change that would not be safe without the missing
//! data.

mod access_points;
mod adoption;
mod effects;
mod key;
mod make;
mod overlap;
mod value;
mod words;

pub use self::effects::{Effects, evaluate};
pub use self::make::{PlanOptions, destroy, plan};
pub use self::value::{HeldBack, Plan, PolicyWrite};
