/// Receives progress updates of a long piece of work.
pub trait Progress: Sync {
    /// `done` of `total` steps of `what` are done; the last one was at `at`.
    fn step(&self, what: &str, done: usize, total: usize, at: &str);
}

/// Drops every update.
impl Progress for () {
    fn step(&self, _: &str, _: usize, _: usize, _: &str) {}
}
