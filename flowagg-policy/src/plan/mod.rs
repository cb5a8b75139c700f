//! The plan: everything that differs between the fleet as declared and AWS as observed, the bucket policy included, and the
//! only function that creates one.
//!
//! What could not be read is part of what is planned from: [`plan`] holds back every change that would not be safe without it.

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
