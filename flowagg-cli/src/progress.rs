/// Receives progress updates of a long operation.
pub trait Progress: Sync {
    /// Reports that `done` of `total` steps of `what` are complete. `at` is the place of the last step.
    fn step(&self, what: &str, done: usize, total: usize, at: &str);
}

/// Ignores all updates.
impl Progress for () {
    fn step(&self, _: &str, _: usize, _: usize, _: &str) {}
}
